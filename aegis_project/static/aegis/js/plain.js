// A page on which only the times move.

import "./copy.js";
import * as times from "./times.js";

times.start();
