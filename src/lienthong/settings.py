"""One frozen object holds every setting; read once from the environment and passed on.

Each setting has a default, one sentence, and a row in `docs/reference/settings.md` (a test says so).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lienthong.errors import SettingsError

PREFIX = "LIENTHONG_"


def _setting(default: Any, sentence: str, *, is_secret: bool = False) -> Any:
    return field(default=default, metadata={"sentence": sentence, "is_secret": is_secret})


@dataclass(frozen=True)
class Settings:
    """All settings. The environment variable is `LIENTHONG_` and the name in capitals."""

    database_url: str = _setting("", "PostgreSQL to use; empty starts the embedded one under `home`.", is_secret=True)
    home: Path = _setting(Path("var"), "Where the embedded PostgreSQL, the keys and the demo files live.")
    datasets: Path = _setting(Path("datasets"), "The folder of contracts, one folder per dataset.")
    agreements: Path = _setting(Path("agreements"), "The folder of subsystems and agreements (YAML).")
    models: Path = _setting(Path("models"), "The folder of matching models, one JSON file an entity; keep it in the province's repository.")
    host: str = _setting("127.0.0.1", "The address the server listens on.")
    port: int = _setting(8000, "The port the server listens on.")
    workers: int = _setting(1, "How many processes answer requests; two serve more look-ups where there are more than two processors.")
    base_url: str = _setting("", "The public address in tokens and links; empty means http://host:port.")
    instance: str = _setting("VN", "First part of every identifier: the X-Road instance.")
    member_class: str = _setting("GOV", "Second part of every identifier: the X-Road member class.")
    accept_synthetic_ids: bool = _setting(False, "Accept the impossible identifier ranges of sample data; shown on every page.")
    province: str = _setting(
        "",
        "Code of the platform's own province: a commune's or district's name that stands alone is looked for there and nowhere else, unless a contract says `within`. Empty: in the whole country.",
    )
    environment: str = _setting("production", "What this server is: `production` or `sandbox`; keys of one open nothing in the other.")
    onboarding_required: bool = _setting(
        True, "Whether a subsystem's first production key needs passed checks and an agreement (those of the folder need none)."
    )
    onboarding_days: str = _setting(
        "security_level=20 sandbox_key=5 conformance=20 agreement=10 production_key=5", "Working days for each stage of onboarding."
    )
    regulations: Path = _setting(Path("regulations"), "The folder of data-use regulations: a folder a regulation, a file a version.")
    default_review_months: int = _setting(6, "Months within which each agency reviews its part of the list of data shared by default.")
    security_level_identity: int = _setting(
        3, "The lowest approved security level of a subsystem that reads population or citizen numbers; 0: none is asked for."
    )
    security_level_connected: int = _setting(2, "The lowest approved security level of any other subsystem; 0: none is asked for.")
    security_level_days: int = _setting(60, "How many days before its last day an approved security level is told to be ending.")
    tls_certificate: str = _setting(
        "", "A file with the server's certificate and its chain (PEM): then it speaks TLS itself; empty: a proxy in front does."
    )
    tls_key: str = _setting("", "The file of that certificate's key (PEM, without a password); empty: it is in the same file.")
    tls_client_authorities: str = _setting(
        "",
        "A file with the authorities (PEM) whose client certificates are taken: tokens got over one are bound to it; empty: none is asked for.",
    )
    client_certificate_header: str = _setting(
        "", "The header in which the proxy that ends TLS tells of the client's certificate; empty: tokens are not bound to one."
    )
    proxy_secret_file: str = _setting(
        "", "A file with the secret the proxy sends as `Lienthong-Proxy`; empty: only a proxy on this machine is believed."
    )
    token_minutes: int = _setting(30, "How long an access token lives, in minutes.")
    session_idle_minutes: int = _setting(30, "How long a signed-in person may do nothing before signing in again, in minutes.")
    oidc_issuer: str = _setting("", "The OpenID Connect provider people sign in at; empty: nobody signs in.")
    oidc_client_id: str = _setting("lienthong", "What this platform is called at the provider.")
    oidc_client_secret: str = _setting("", "Its secret there; better kept in a file (`oidc_client_secret_file`).", is_secret=True)
    oidc_client_secret_file: str = _setting("", "A file that holds the secret.")
    oidc_scopes: str = _setting("openid profile email", "What is asked of the provider.")
    oidc_claims: str = _setting(
        "citizen=citizen_number name=name agency=agency email=email",
        "Which claim of the provider says what: citizen, name, agency, email, subject.",
    )
    oidc_accounts: str = _setting(
        "", "The file of the built-in provider's accounts, for demo and sandbox; empty: there is no such provider."
    )
    sign_in_tries: int = _setting(5, "Wrong passwords or codes after which an account is locked for a while.")
    sign_in_lock_minutes: int = _setting(15, "How long it is locked, in minutes.")
    session_hours: int = _setting(10, "How long a sign-in lasts at most, in hours.")
    batch_rows: int = _setting(65_536, "Rows read, cleaned and written at a time.")
    secrets: Path = _setting(
        Path("var/secrets"), "The folder of secrets that sources name as `secret:file/NAME`: files of mode 600 in a folder of mode 700."
    )
    networks_of_sources: str = _setting(
        "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
        "Networks in which folders and brokers of sources may be besides the public internet; this machine only where it is named.",
    )
    watch_seconds: int = _setting(60, "How often watched sources are looked at, in seconds; 0: never.")
    typing_characters_per_minute: int = _setting(260, "Typing speed by which the reuse meter turns characters into hours.")
    checkpoint_milliseconds: int = _setting(
        1_000, "How often new ledger entries get their place and a signed checkpoint; 0: not by this server."
    )
    ledger_key: str = _setting(
        "",
        "Where the ledger's key lies: a PKCS#11 URI (RFC 7512) with `token`, `object`, `module-path` and `pin-source`; empty: a file under `home`.",
    )
    witnesses: str = _setting("", "Witnesses of the ledger, `KEY@URL` with spaces between: their processes co-sign its checkpoints.")
    witnesses_needed: int = _setting(0, "How many witnesses must have signed a checkpoint before it is served or given in a receipt.")
    archive: Path = _setting(Path("var/ledger-archive"), "The folder of the ledger's archives; put it where backups go.")
    archive_after_days: int = _setting(0, "Days after which bodies of ledger entries go into archives; 0: never.")
    retention: str = _setting("", "Longer terms than the law's, `CLASS=DAYS HERE/DAYS IN ALL` with spaces between.")
    backups: Path = _setting(Path("var/backups"), "The folder of backups; put it on another disk, and copy it elsewhere.")
    backup_recipients: str = _setting(
        "", "Who can open backups: age recipients (age1…) with spaces between; empty: backups are not encrypted."
    )
    backup_identity_file: str = _setting("", "A file with the age identity that opens backups, for rehearsals; empty: none is here.")
    backup_hours: int = _setting(0, "How often a backup is made by itself, in hours; 0: only when asked for.")
    rehearse_days: int = _setting(0, "How often the newest backup is put back into a database of its own, in days; 0: only when asked for.")
    verify_hours: int = _setting(24, "How often the whole ledger is recomputed by itself, in hours; 0: only when asked for.")
    evidence: Path = _setting(Path(), "A folder of JUnit reports, shown on the page of proofs; `.`: none.")
    breach_hours: int = _setting(72, "Hours from the discovery of a breach until it must be notified.")
    impact_days: int = _setting(60, "Days from the first processing until the impact file must be there.")
    privacy_answer_working_days: int = _setting(2, "Working days until a person's request must be answered.")
    privacy_act_days: str = _setting(
        "", "Days until a person's request must be done, `KIND=DAYS` with spaces between, beside the usual ones."
    )
    citizen_portals: str = _setting(
        "", "Subsystems, with spaces between, that show citizens who used their data, having proved the citizen themselves."
    )
    stamp_url: str = _setting("", "The time-stamping authority (RFC 3161) that stamps checkpoints; empty: none.")
    stamp_roots: Path = _setting(Path("stamp-roots.pem"), "The certificates (PEM) an authority's stamps must lead back to.")
    stamp_seconds: int = _setting(60, "How often the newest checkpoint is stamped, where there is an authority.")
    worker: bool = _setting(True, "Whether this server starts the process that does what nobody waits for: deliveries, clocks, reminders.")
    worker_nice: int = _setting(
        10,
        "How far the processes beside the server step back for those who wait (0 to 19, as of `nice`); 0 where they must keep up on a busy machine.",
    )
    xroad_subsystem: str = _setting("du-lieu", "The X-Road subsystem under which every agency's datasets are services.")
    xroad_networks: str = _setting(
        "", "Addresses of the province's own security server (CIDR, by commas): X-Road messages from there are taken at their word."
    )
    xroad_secret: str = _setting(
        "", "What the security server's proxy must also send in `Lienthong-Security-Server`; empty: nothing.", is_secret=True
    )
    xroad_certificates: str = _setting(
        "", "SHA-256 of the certificates (hex, by commas) of which the proxy's `Client-Cert` must also hold one; empty: none is asked for."
    )
    xroad_fault_style: str = _setting("camel", "How X-Road fault codes are spelled: `camel` (to 7.7) or `snake` (from 7.8).")
    holidays: str = _setting("", "A file of holidays announced (YAML), laid over those built in; empty: none.")
    functions: str = _setting(
        "", "A file of agencies' fields of work (YAML), by which requests for data of one's own field are granted; empty: none."
    )
    legal_instruments: str = _setting("", "A file of legal instruments (YAML), laid over those built in; empty: none.")
    arbiter: str = _setting("", "Code of the agency that settles disputes on sharing and sees every refusal; empty: none.")
    data_protection: str = _setting(
        "",
        "The unit or person that answers for the protection of personal data, and how to reach them (Luật 91/2025/QH15 điều 33.2); shown to citizens. Empty: nobody is named.",
    )
    answer_working_days: int = _setting(2, "Working days to answer a request for data shared by default.")
    answer_other_working_days: int = _setting(10, "Working days to answer any other request.")
    stop_notice_working_days: int = _setting(7, "Working days by which a planned stop is announced ahead.")
    usage_working_days: int = _setting(5, "Working days to answer a provider's demand for a usage report.")
    reminder_days: int = _setting(30, "Days before its end from which an agreement is among those to be renewed.")
    destruction_days: int = _setting(30, "Days to confirm what happened to copies, where the agreement names no number.")
    direct_link_answer_working_days: int = _setting(
        10, "Working days for the platform's owner to state whether a direct link between two agencies may stand."
    )
    direct_link_days: int = _setting(365, "Most days for which such a statement lets a direct link stand, or may leave it until it moves.")
    offer_per_minute: int = _setting(600, "Largest quota a minute that is granted by rule to a request for data shared by default.")
    offer_per_day: int = _setting(20_000, "Largest quota a day that is granted by rule.")
    offer_term_days: int = _setting(731, "Longest term, in days, that is granted by rule.")
    open_review_months: int = _setting(6, "Months until every entry of the list of open data is looked at again.")
    open_refresh_months: int = _setting(3, "Months until open data is refreshed, where it does not promise to be rarer.")
    trusted_proxies: str = _setting("", "Networks, by comma, whose X-Forwarded-For says where a caller is; empty: the connection does.")
    borders: str = _setting("", "A GeoJSON file with the borders of communes, for maps; empty: pages have no maps.")
    provider_networks: str = _setting(
        "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
        "Networks in which providers of brokered services may be; nothing else is connected to.",
    )
    sandbox: bool = _setting(False, "Answer brokered calls from the examples of their descriptions: no provider is asked.")
    sandbox_url: str = _setting("", "Where this province's sandbox is, for pages to lead there; empty: nowhere.")
    sandbox_database_url: str = _setting(
        "", "The sandbox's own PostgreSQL database; empty: one beside production's in the embedded server."
    )
    sandbox_port: int = _setting(8001, "The port the sandbox listens on.")
    sandbox_guests: bool = _setting(True, "Whether the sandbox lets people in by a name they give: it holds nobody's data.")
    trainers: str = _setting("", "Handles, with spaces between, of those who teach in the sandbox: they see the class and put it back.")
    lessons: Path = _setting(Path(), "The folder of lessons (YAML) of the training room; `.`: the built-in ones.")
    correction_working_days: int = _setting(5, "Working days to decide a proposed correction.")
    syncs: Path = _setting(Path("syncs"), "The folder of outbound syncs (YAML).")
    contract_notice_working_days: int = _setting(7, "Working days a breaking change of a contract is announced ahead.")
    sync_notice_working_days: int = _setting(7, "Working days a new column of a copy is announced ahead.")
    sync_check_hours: int = _setting(24, "How often a copy is held against what it should be and put right; 0: only when asked.")
    metrics_token: str = _setting(
        "", "What a Prometheus server sends as bearer token to `/metrics`; empty: nothing is told there.", is_secret=True
    )
    traces_url: str = _setting(
        "", "Where traces of exchanges go (OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces); empty: nowhere."
    )
    traces_per_thousand: int = _setting(100, "Of a thousand exchanges, how many are traced; a caller's own trace decides for its requests.")
    open_class_size: int = _setting(
        5, "Fewest rows of an open dataset that must share their quasi-identifiers, and the smallest count told (k)."
    )
    open_diversity: int = _setting(2, "Fewest confidential values among the rows of an open dataset that share their quasi-identifiers.")
    open_two_persons: bool = _setting(True, "Whether two persons open every dataset; one that is risky is always opened by two.")
    alert_rules: Path = _setting(Path(), "The file of rules of alerts (YAML); `.`: the built-in ones.")
    exchange_days: int = _setting(
        92, "How long the operational record of each exchange is kept, in days; counts by the day are kept for ever."
    )
    exchange_hour_days: int = _setting(400, "How long counts of exchanges by the hour are kept, in days.")
    webhook_networks: str = _setting(
        "", "Networks (CIDR, by commas) in which webhooks may be delivered though they are not on the public internet, as 10.20.0.0/16."
    )
    webhook_timeout_seconds: int = _setting(15, "How long one delivery of events may take, in seconds.")
    webhook_retry_seconds: str = _setting(
        "5,30,120,600,1800,7200,21600,43200,86400,86400",
        "Waits after each failed delivery, in seconds; after the last it is a dead letter.",
    )
    webhook_pause_hours: int = _setting(120, "After how many hours without one success a subscription is paused.")
    nats_url: str = _setting("", "A NATS server with JetStream to which events are relayed, as nats://host:4222; empty: none.")
    nats_subsystem: str = _setting("", "The subsystem the relay to NATS acts as: its agreements say what of records is relayed.")
    nats_purpose: str = _setting("chuyen-tiep", "The purpose the relay to NATS names, as in its agreements.")
    share_url_minutes: int = _setting(
        60, "How long a signed address of a shared file is good, in minutes; a right that ends, ends it sooner."
    )
    share_profile_days: int = _setting(90, "How long a recipient's profile of Delta Sharing is good, in days, where none is named.")
    share_room_megabytes: int = _setting(20_000, "Room for prepared files of shares, in megabytes; the longest unused go first.")
    share_idle_hours: int = _setting(48, "Hours after which prepared files nobody asked for are removed.")
    indicators: Path = _setting(Path("indicators"), "The folder of indicators (YAML) and, in `reports` below it, of reports.")
    indicator_seconds: int = _setting(60, "How long a formula of an indicator may take, in seconds.")
    indicator_minutes: int = _setting(15, "How often indicators are looked at, in minutes; 0: only when asked.")
    explanation_working_days: int = _setting(3, "Working days to explain a figure a leader asks about.")
    log_level: str = _setting("INFO", "Smallest level of log event written.")

    @property
    def public_url(self) -> str:
        return self.base_url or f"{'https' if self.tls_certificate else 'http'}://{self.host}:{self.port}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables.

    Raises SettingsError naming the variable, what was found and what was expected.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for spec in fields(Settings):
        name = PREFIX + spec.name.upper()
        if name in environment:
            values[spec.name] = _convert(name, environment[name], type(spec.default))
    return Settings(**values)  # type: ignore[arg-type] # converted to each field's type above


def _convert(name: str, text: str, kind: type) -> object:
    if kind is bool:
        known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
        if text.lower() not in known:
            raise SettingsError(
                f"{name}: expected true or false, found `{text}`.", vi=f"{name}: cần `true` hoặc `false`, đang là `{text}`."
            )
        return known[text.lower()]
    if kind is int:
        try:
            return int(text)
        except ValueError as error:
            raise SettingsError(
                f"{name}: expected a whole number, found `{text}`.", vi=f"{name}: cần một số nguyên, đang là `{text}`."
            ) from error
    return Path(text) if issubclass(kind, Path) else text
