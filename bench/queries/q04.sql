-- Persons under observation on 2020-01-01 by age, sex and quintile of deprivation.
SELECT CASE WHEN age >= 80 THEN '80 and over' ELSE floor(age / 10)::INTEGER * 10 || '-' || floor(age / 10)::INTEGER * 10 + 9 END AS age,
       sex, CASE quintile WHEN 1 THEN '1 (most deprived)' WHEN 5 THEN '5 (least deprived)' ELSE quintile::VARCHAR END AS quintile, count(*) AS persons
FROM (
  SELECT 2020 - p.year_of_birth - CASE WHEN p.month_of_birth > 1 OR p.day_of_birth > 1 THEN 1 ELSE 0 END AS age,
         CASE p.gender_concept_id WHEN 8507 THEN 'male' ELSE 'female' END AS sex, floor((d.value_as_number::INTEGER + 1) / 2)::INTEGER AS quintile
  FROM observation_period o JOIN person p ON p.person_id = o.person_id
  JOIN observation d ON d.person_id = o.person_id AND d.observation_concept_id = 35812882 AND d.observation_date <= DATE '2020-01-01'
  WHERE o.observation_period_start_date <= DATE '2020-01-01' AND o.observation_period_end_date >= DATE '2020-01-01'
) AS observed
GROUP BY 1, 2, 3
