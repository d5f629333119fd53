import { run } from "./talk.mjs";

window.run = run;
