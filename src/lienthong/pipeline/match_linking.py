"""The records an act touches → their clusters: the components they now form, each linked as bulk matching links it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lienthong.masterdata.grouping import LARGEST_COMPONENT, Judged, Matcher, components, few_components
from lienthong.masterdata.linkage import Linked, Pair
from lienthong.masterdata.predicates import Features
from lienthong.store.matching import StoredRecord

FEW = 50  # records; more are quicker to group by arrays


@dataclass(frozen=True)
class Touched:
    """What is to be linked anew, by record number.

    `loose`: records whose stored component says nothing of them (new ones). `edges`: pairs found to belong together. `torn`: components
    that may fall apart, because a record of theirs changed or left.
    """

    records: Mapping[int, StoredRecord]
    loose: frozenset[int]
    edges: Sequence[Pair]
    torn: frozenset[int]
    judged: Judged


def belong(matcher: Matcher, one: StoredRecord, other: StoredRecord, weights: dict[Pair, float]) -> bool:
    """Whether a pair that shares a key holds a component together. A weight that was worked out is kept in `weights`, smaller number first."""
    left, right = (one, other) if (one.source, one.key) < (other.source, other.key) else (other, one)
    rules = matcher.rules
    given = left.features, right.features, left.source, right.source
    if rules.forbid(*given) and not rules.slip(*given):
        return False
    if rules.joined(left.features, right.features) and rules.agree(left.features, right.features):
        return True
    if rules.replaced(left.features, right.features):
        return True
    over = matcher.weight(left.features, right.features, left.source, right.source)
    weights[(left.record, right.record) if left.record < right.record else (right.record, left.record)] = over
    return over >= matcher.reach


def clash(matcher: Matcher, left: StoredRecord, right: StoredRecord) -> bool:
    """Whether two records carry one number that neither name nor birth bears out."""
    rules = matcher.rules
    return rules.joined(left.features, right.features) and not rules.agree(left.features, right.features)


def clashes(matcher: Matcher, records: Mapping[int, StoredRecord], golden_of: Mapping[int, int]) -> list[Pair]:
    """The pairs of these records that carry one number, are not one, and of which neither name nor birth bears the number out."""
    found = []
    for column in matcher.rules.identifier_places:
        holders: dict[str, list[StoredRecord]] = defaultdict(list)
        for record in records.values():
            value = record.features[column]
            if value is not None:
                holders[value].append(record)
        for sharing in holders.values():
            for n, one in enumerate(sharing):
                others = (other for other in sharing[n + 1 :] if golden_of[one.record] != golden_of[other.record])
                found += [(one.record, other.record) for other in others if clash(matcher, one, other)]
    return found


def groups_of(matcher: Matcher, touched: Touched, weights: dict[Pair, float]) -> list[list[int]]:
    """The components now, each sorted by record number."""
    numbers = sorted(touched.records)
    if len(numbers) == 1:
        return [numbers]
    place = {number: n for n, number in enumerate(numbers)}
    pairs = [(place[a], place[b]) for a, b in (*touched.edges, *touched.judged.same) if a in place and b in place]
    whole: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        if number not in touched.loose:
            whole[touched.records[number].component].append(number)
    for component, members in whole.items():
        if component in touched.torn:
            pairs += [(place[a], place[b]) for a, b in _inner_edges(matcher, [touched.records[n] for n in members], weights)]
        else:
            pairs += [(place[members[0]], place[other]) for other in members[1:]]
    groups: dict[int, list[int]] = defaultdict(list)
    roots = few_components(len(numbers), pairs) if len(numbers) <= FEW else components(len(numbers), pairs).tolist()
    for number, root in zip(numbers, roots, strict=True):
        groups[root].append(number)
    return list(groups.values())


def _inner_edges(matcher: Matcher, members: Sequence[StoredRecord], weights: dict[Pair, float]) -> Iterable[Pair]:
    """What still holds a torn component together: pairs enough that their components are those of all pairs."""
    by_key: dict[int, list[StoredRecord]] = defaultdict(list)
    for member in members:
        for key in member.keys:
            by_key[key].append(member)
    seen: set[Pair] = set()
    home = {member.record: {member.record} for member in members}  # what each is known to hang together with
    groups = {tuple(member.record for member in sharing): sharing for sharing in by_key.values()}  # the same records share many keys
    for sharing in groups.values():
        for n, a in enumerate(sharing):
            for b in sharing[n + 1 :]:
                left, right = (a, b) if a.record < b.record else (b, a)
                pair = (left.record, right.record)
                if pair in seen or right.record in home[left.record]:
                    continue
                seen.add(pair)
                if belong(matcher, left, right, weights):
                    together = home[left.record] | home[right.record]
                    home |= dict.fromkeys(together, together)
                    yield pair


def link_group(
    matcher: Matcher, group: Sequence[int], records: Mapping[int, StoredRecord], judged: Judged, weights: Mapping[Pair, float]
) -> Linked:  # fmt: skip
    """The clusters of one component, by record number. Ties are settled by register and key, never by what came first.

    `weights`: those at hand, by record numbers.
    """
    if len(group) == 1:
        return Linked(((group[0],),), (), (), ())
    ordered = sorted(group, key=lambda number: (records[number].source, records[number].key))
    place = {number: n for n, number in enumerate(ordered)}
    features = {n: records[number].features for n, number in enumerate(ordered)}
    sources = {n: records[number].source for n, number in enumerate(ordered)}
    local = Judged(_renumbered(judged.same, place), _renumbered(judged.apart, place))
    ruled, conflicts = _rule_pairs(matcher, features, sources)
    linked = matcher.link(features, sources, ruled, _known(matcher, ordered, records, weights), local)

    def back(pair: Pair) -> Pair:
        return ordered[pair[0]], ordered[pair[1]]

    return Linked(
        tuple(tuple(sorted(ordered[n] for n in cluster)) for cluster in linked.clusters),
        tuple(replace(join, left=ordered[join.left], right=ordered[join.right]) for join in linked.joins),
        tuple(back(pair) for pair in (*local.unsaid(conflicts), *linked.conflicts)),
        tuple((ordered[a], ordered[b], bits) for a, b, bits in linked.near),
    )


def _known(
    matcher: Matcher, ordered: Sequence[int], records: Mapping[int, StoredRecord], weights: Mapping[Pair, float]
) -> dict[Pair, float]:  # fmt: skip
    """The weights of a component's pairs by their places: those at hand, or, of a component so large that it is cut, all it is cut by."""
    if len(ordered) > LARGEST_COMPONENT:
        return _holding(matcher, [records[number] for number in ordered], weights)
    if not weights:
        return {}
    found = {}
    for m, a in enumerate(ordered):
        for n in range(m + 1, len(ordered)):
            b = ordered[n]
            over = weights.get((a, b) if a < b else (b, a))
            if over is not None:
                found[m, n] = over
    return found


def _holding(matcher: Matcher, members: Sequence[StoredRecord], weights: Mapping[Pair, float]) -> dict[Pair, float]:
    """Every pair that shares a key and reaches far enough to hold a component together, as bulk matching finds them."""
    rules = matcher.rules
    by_key: dict[int, list[int]] = defaultdict(list)
    for n, member in enumerate(members):
        for key in member.keys:
            by_key[key].append(n)
    pairs = {(m, n) for sharing in by_key.values() for place, m in enumerate(sharing) for n in sharing[place + 1 :]}
    found = {}
    for m, n in pairs:
        a, b = members[m], members[n]
        given = a.features, b.features, a.source, b.source
        if rules.forbid(*given) and not rules.slip(*given):
            continue
        over = weights.get((a.record, b.record) if a.record < b.record else (b.record, a.record))
        over = matcher.weight(*given) if over is None else over
        if over >= matcher.reach:
            found[m, n] = over
    return found


def _rule_pairs(matcher: Matcher, features: Mapping[int, Features], sources: Mapping[int, str]) -> tuple[dict[Pair, str], list[Pair]]:
    """(pairs joined by an identifier, or by the one that replaced it, and by which; pairs whose identifier agrees while all else differs)."""
    rules = matcher.rules
    ruled: dict[Pair, str] = {}
    conflicts: set[Pair] = set()
    for column, name in zip(rules.identifier_places, rules.names, strict=False):
        holders: dict[str, list[int]] = defaultdict(list)
        for n, each in features.items():
            value = each[column]
            if value is not None:
                holders[value].append(n)
        for number, sharing in holders.items():
            if len(sharing) > 1 and rules.speaks(number):
                for i, a in enumerate(sharing):
                    for b in sharing[i + 1 :]:
                        if rules.agree(features[a], features[b]):
                            ruled.setdefault((a, b), name)
                        else:
                            conflicts.add((a, b))
    for (old, new), name in zip(rules.replaced_places, rules.names[len(rules.identifier_places) :], strict=True):
        known = _replaced(matcher, features, sources, old, new)
        for n, others in known.items():
            is_one = len({features[other][new] for other in others}) == 1
            for pair in ((min(n, other), max(n, other)) for other in others):
                if is_one:
                    ruled.setdefault(pair, name)
                else:
                    conflicts.add(pair)
    return dict(sorted(ruled.items())), sorted(conflicts - ruled.keys())


def _replaced(
    matcher: Matcher, features: Mapping[int, Features], sources: Mapping[int, str], old: int, new: int
) -> dict[int, list[int]]:  # fmt: skip
    """Record with the earlier number alone → those that say what replaced it."""
    rules = matcher.rules
    holders: dict[str, list[int]] = defaultdict(list)
    for n, each in features.items():
        if (value := each[old]) is not None:
            holders[value].append(n)
    found: dict[int, list[int]] = defaultdict(list)
    for number, sharing in holders.items():
        if len(sharing) < 2 or not rules.speaks(number):
            continue
        for a in sharing:
            for b in sharing if features[a][new] is None else ():
                if features[b][new] is None or not rules.sure(features[a], features[b]):
                    continue
                if not rules.forbid(features[a], features[b], sources[a], sources[b]):
                    found[a].append(b)
    return found


def _renumbered(pairs: Iterable[Pair], place: Mapping[int, int]) -> frozenset[Pair]:
    found = ((place[a], place[b]) for a, b in pairs if a in place and b in place)
    return frozenset((min(pair), max(pair)) for pair in found)
