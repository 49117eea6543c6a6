-- Incidence by calendar year and sex, 2010 to 2024: first events, and days at risk (under observation, before or on the
-- day of the first event).
WITH first_event AS (
  SELECT person_id, min(condition_start_date) AS event_date FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
  GROUP BY person_id
), at_risk AS (
  SELECT CASE p.gender_concept_id WHEN 8507 THEN 'male' ELSE 'female' END AS sex, o.observation_period_start_date AS start_date,
         least(o.observation_period_end_date, coalesce(f.event_date, o.observation_period_end_date)) AS end_date, f.event_date
  FROM observation_period o JOIN person p ON p.person_id = o.person_id
  LEFT JOIN first_event f ON f.person_id = o.person_id
)
SELECT y AS year, sex,
       sum(least(end_date, make_date(y::INTEGER, 12, 31)) - greatest(start_date, make_date(y::INTEGER, 1, 1)) + 1)::BIGINT AS days,
       count(*) FILTER (WHERE extract(year FROM event_date) = y) AS events
FROM at_risk CROSS JOIN generate_series(2010, 2024) AS years(y)
WHERE start_date <= make_date(y::INTEGER, 12, 31) AND end_date >= make_date(y::INTEGER, 1, 1)
GROUP BY y, sex ORDER BY y, sex DESC
