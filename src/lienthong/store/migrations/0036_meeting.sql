-- Geometries that meet, told exactly; and beside each geometry its box, kept by the database, with an index.

set search_path to lienthong;

-- A GeoJSON geometry as segments, planar: a ring or line by its consecutive points, a point as a segment of no length.
create or replace function geojson_segments(geojson text)
returns table (x1 double precision, y1 double precision, x2 double precision, y2 double precision)
language sql immutable parallel safe strict as $$
    with shape as (select geojson::jsonb as whole),
    paths as (
        select points
        from shape, lateral jsonb_array_elements(
            case whole ->> 'type'
                when 'Point' then jsonb_build_array(jsonb_build_array(whole -> 'coordinates'))
                when 'MultiPoint' then (select jsonb_agg(jsonb_build_array(place)) from jsonb_array_elements(whole -> 'coordinates') as place)
                when 'LineString' then jsonb_build_array(whole -> 'coordinates')
                when 'MultiPolygon' then (
                    select jsonb_agg(ring) from jsonb_array_elements(whole -> 'coordinates') as part, jsonb_array_elements(part) as ring
                )
                else whole -> 'coordinates'
            end
        ) as points
    )
    select (place ->> 0)::double precision, (place ->> 1)::double precision, (next ->> 0)::double precision, (next ->> 1)::double precision
    from paths, lateral (
        select place, coalesce(points -> number::integer, place) as next, number
        from jsonb_array_elements(points) with ordinality as each (place, number)
    ) as pair
    where number < jsonb_array_length(points) or jsonb_array_length(points) = 1
$$;

-- Whether two GeoJSON geometries have a point in common, borders included: an edge meets an edge, or one lies inside the other's area.
create or replace function geojson_meets(one text, other text) returns boolean
language sql immutable parallel safe strict as $$
    with a as materialized (select x1, y1, x2, y2 from lienthong.geojson_segments(one)),
    b as materialized (select x1, y1, x2, y2 from lienthong.geojson_segments(other))
    select exists (
        select 1
        from a, b
        where greatest(a.x1, a.x2) >= least(b.x1, b.x2) and greatest(b.x1, b.x2) >= least(a.x1, a.x2)
            and greatest(a.y1, a.y2) >= least(b.y1, b.y2) and greatest(b.y1, b.y2) >= least(a.y1, a.y2)
            and ((b.x2 - b.x1) * (a.y1 - b.y1) - (b.y2 - b.y1) * (a.x1 - b.x1)) * ((b.x2 - b.x1) * (a.y2 - b.y1) - (b.y2 - b.y1) * (a.x2 - b.x1)) <= 0
            and ((a.x2 - a.x1) * (b.y1 - a.y1) - (a.y2 - a.y1) * (b.x1 - a.x1)) * ((a.x2 - a.x1) * (b.y2 - a.y1) - (a.y2 - a.y1) * (b.x2 - a.x1)) <= 0
    )
    or (other::jsonb ->> 'type' like '%Polygon' and exists (
        select 1
        from a
        where (
            select count(*) % 2
            from b
            where (b.y1 > a.y1) <> (b.y2 > a.y1) and a.x1 < (b.x2 - b.x1) * (a.y1 - b.y1) / (b.y2 - b.y1) + b.x1
        ) = 1
    ))
    or (one::jsonb ->> 'type' like '%Polygon' and exists (
        select 1
        from b
        where (
            select count(*) % 2
            from a
            where (a.y1 > b.y1) <> (a.y2 > b.y1) and b.x1 < (a.x2 - a.x1) * (b.y1 - a.y1) / (a.y2 - a.y1) + a.x1
        ) = 1
    ))
$$;

-- Datasets applied before: what applying a contract does now (store/tables.py).
do $$
declare
    found record;
begin
    for found in
        select d.table_name, p.value ->> 'name' as property
        from datasets as d,
            jsonb_array_elements(d.contract -> 'schema' -> 0 -> 'properties') as p,
            jsonb_array_elements(coalesce(p.value -> 'customProperties', '[]'::jsonb)) as word
        where word ->> 'property' = 'standard' and word ->> 'value' = 'geometry' and to_regclass(format('data.%I', d.table_name)) is not null
    loop
        execute format('alter table data.%I add column if not exists %I box generated always as (lienthong.geojson_box(%I)) stored',
            found.table_name, '_' || found.property || '_box', found.property);
        execute format('alter table data.%I add column if not exists %I box generated always as (lienthong.geojson_box(%I)) stored',
            found.table_name || '_history', '_' || found.property || '_box', found.property);
        execute format('create index if not exists %I on data.%I using gist (%I)',
            found.table_name || '_' || found.property || '_box', found.table_name, '_' || found.property || '_box');
    end loop;
end
$$;
