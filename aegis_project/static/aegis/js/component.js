// The page of one component: its state, the steps of its handshake, and its heartbeat.

import { Live } from "./live.js";
import { Marks } from "./marks.js";
import { Parts } from "./parts.js";
import * as times from "./times.js";

const { id } = document.getElementById("ae-component").dataset;

times.start();
new Marks();
new Live([new Parts({ type: "component", id })]).start();
