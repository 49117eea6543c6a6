-- Monthly incidence by sex and decade of age, 2010 to 2024: first events, and days at risk (under observation, before or on the
-- day of the first event). Days count in the decade of age that they lie in.
WITH first_event AS (
  SELECT person_id, min(condition_start_date) AS event_date FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
  GROUP BY person_id
), at_risk AS (
  SELECT p.year_of_birth::INTEGER AS y, p.month_of_birth::INTEGER AS m, p.day_of_birth::INTEGER AS d,
         CASE p.gender_concept_id WHEN 8507 THEN 'male' ELSE 'female' END AS sex, o.observation_period_start_date AS start_day,
         least(o.observation_period_end_date, coalesce(f.event_date, o.observation_period_end_date)) AS end_day, f.event_date
  FROM observation_period o JOIN person p ON p.person_id = o.person_id LEFT JOIN first_event f ON f.person_id = o.person_id
), birthdays AS (
  SELECT a.*, g.decade, least(make_date(y + 10 * g.decade::INTEGER, m, 1) + (d - 1),
                              make_date(y + 10 * g.decade::INTEGER + CASE m WHEN 12 THEN 1 ELSE 0 END, m % 12 + 1, 1) - 1) AS first_day,
         least(make_date(y + 10 * g.decade::INTEGER + 10, m, 1) + (d - 1),
               make_date(y + 10 * g.decade::INTEGER + 10 + CASE m WHEN 12 THEN 1 ELSE 0 END, m % 12 + 1, 1) - 1) - 1 AS last_day
  FROM at_risk a CROSS JOIN generate_series(0, 8) AS g(decade)
), spans AS (
  SELECT sex, decade, event_date, greatest(start_day, first_day) AS start_day,
         CASE WHEN decade = 8 THEN end_day ELSE least(end_day, last_day) END AS end_day
  FROM birthdays WHERE start_day <= CASE WHEN decade = 8 THEN end_day ELSE last_day END AND end_day >= first_day
), months AS (
  SELECT make_date(2010 + ((g.i - g.i % 12) / 12)::INTEGER, (g.i % 12)::INTEGER + 1, 1) AS first_day,
         make_date(2010 + ((g.i + 1 - (g.i + 1) % 12) / 12)::INTEGER, ((g.i + 1) % 12)::INTEGER + 1, 1) - 1 AS last_day
  FROM generate_series(0, 179) AS g(i)
)
SELECT extract(year FROM first_day) || '-' || right('0' || extract(month FROM first_day), 2) AS month, sex,
       CASE WHEN decade = 8 THEN '80 and over' ELSE 10 * decade || '-' || 10 * decade + 9 END AS age,
       sum(least(end_day, last_day) - greatest(start_day, first_day) + 1)::BIGINT AS days,
       count(*) FILTER (WHERE event_date BETWEEN greatest(start_day, first_day) AND least(end_day, last_day)) AS events
FROM spans JOIN months ON start_day <= last_day AND end_day >= first_day
GROUP BY 1, 2, 3
