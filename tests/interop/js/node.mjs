// node node.mjs URL STEP STATE: what the step told, as JSON.
import { readFileSync, writeFileSync, existsSync } from "node:fs";

// The client writes its diary to the console.
const print = console.log;
for (const level of ["log", "debug", "info", "warn", "error", "trace"]) console[level] = () => {};

const { run } = await import("./talk.mjs");
const [url, step, path] = process.argv.slice(2);
const state = existsSync(path) ? JSON.parse(readFileSync(path)) : {};

try {
	const done = await run(url, step, state);
	writeFileSync(path, JSON.stringify(done.state));
	print(JSON.stringify(done.told));
	process.exit(0);
} catch (wrong) {
	print(wrong.stack);
	process.exit(1);
}
