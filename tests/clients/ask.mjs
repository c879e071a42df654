// Ask a question by Comunica: node ask.mjs '{"query": …, "sources": […], "format": media type}'
import { QueryEngine } from "@comunica/query-sparql";

const { query, sources, format } = JSON.parse(process.argv[2]);
const engine = new QueryEngine();
const result = await engine.query(query, { sources });
const { data } = await engine.resultToString(result, format);
data.pipe(process.stdout);
