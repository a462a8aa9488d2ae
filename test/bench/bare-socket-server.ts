import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

/** Room of everybody. */
const ROOM = 'everybody';

/** The peer of the bench `sockets`: Socket.IO and nothing else; sends to all what its parent process says. */
const http = createServer();
const server = new Server(http, { serveClient: false });
server.on('connection', (socket) => {
  void socket.join(ROOM);
});
process.on('message', (caption: unknown) => {
  server.to(ROOM).emit('transcript', caption);
});
process.on('disconnect', () => process.exit(0));
http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as AddressInfo).port }));
