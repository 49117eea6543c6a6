// SPDX-License-Identifier: Apache-2.0
// A task API of cohort discovery for tests: node task_server.mjs TASKS.json OUT.jsonl
// Prints its port. Gives the tasks of the list (strings as they are) in turn for collection c1, queue a; keeps results; answers the first
// result with 500, so that it must come again; the user is u with password "p:w".
import { createServer } from "node:http";
import { appendFileSync, readFileSync } from "node:fs";

const [tasksFile, out] = process.argv.slice(2);
const tasks = JSON.parse(readFileSync(tasksFile));
const expected = "Basic " + Buffer.from("u:p:w").toString("base64");
let refused = false;

createServer((request, response) => {
  const end = (code, body = "") => response.writeHead(code, { "Content-Type": "application/json" }).end(body);
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.headers.authorization !== expected) return end(401);
    if (request.method === "GET" && request.url === "/api/task/nextjob/c1.a") {
      const task = tasks.shift();
      return task === undefined ? end(204) : end(200, typeof task === "string" ? task : JSON.stringify(task));
    }
    if (request.method === "POST" && request.url.startsWith("/api/task/result/")) {
      if (!refused) {
        refused = true;
        return end(500);
      }
      appendFileSync(out, JSON.stringify({ url: request.url, body: JSON.parse(body) }) + "\n");
      return end(200);
    }
    appendFileSync(out, JSON.stringify({ url: request.url, unexpected: true }) + "\n");
    end(404);
  });
}).listen(0, "127.0.0.1", function () {
  console.log(this.address().port);
});
