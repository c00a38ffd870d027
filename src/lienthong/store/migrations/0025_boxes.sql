-- Questions over places: the box around a geometry.
set search_path to lienthong;

-- The box around a GeoJSON geometry; null for what is none. Immutable, so that an index can be made of it.
create or replace function geojson_box(geojson text) returns box
language sql immutable parallel safe strict as $$
    select box(
        point(max((place ->> 0)::double precision), max((place ->> 1)::double precision)),
        point(min((place ->> 0)::double precision), min((place ->> 1)::double precision))
    )
    from jsonb_path_query(geojson::jsonb, 'strict $.**.coordinates.** ? (@.type() == "array" && @[0].type() == "number" && @[1].type() == "number")', '{}', true) as place
$$;
