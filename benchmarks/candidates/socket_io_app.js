// socket.io on Node: what one says, all hear.
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

io.on("connection", (socket) => socket.on("m", (message) => io.emit("m", message)));
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
