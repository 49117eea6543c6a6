-- New diagnoses by month, 2012 to 2021, and quintile of deprivation, and before and after.
WITH first_event AS (
  SELECT person_id, min(condition_start_date) AS day FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
  GROUP BY person_id
)
SELECT CASE WHEN day < DATE '2012-01-01' THEN 'before 2012-01' WHEN day > DATE '2021-12-31' THEN 'after 2021-12'
            ELSE extract(year FROM day) || '-' || right('0' || extract(month FROM day), 2) END AS month,
       CASE floor((d.value_as_number::INTEGER + 1) / 2)::INTEGER WHEN 1 THEN '1 (most deprived)' WHEN 2 THEN '2' WHEN 3 THEN '3'
            WHEN 4 THEN '4' ELSE '5 (least deprived)' END AS quintile, count(*) AS persons
FROM first_event f JOIN observation d ON d.person_id = f.person_id AND d.observation_concept_id = 35812882
GROUP BY 1, 2
