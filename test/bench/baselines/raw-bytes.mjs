// The bare limits that large files are held against: node:http that writes a PUT to disk and syncs it, and that streams a file in 1 MiB chunks.
import { createReadStream, createWriteStream, fsyncSync, openSync, closeSync, statSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const folder = process.argv[2];
const MIB = 1024 * 1024;

const server = http.createServer(async (request, response) => {
  const path = join(folder, 'raw.bin');
  if (request.method === 'PUT') {
    await pipeline(request, createWriteStream(path, { highWaterMark: MIB }));
    const descriptor = openSync(path, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
    response.end();
    return;
  }
  response.setHeader('content-length', statSync(path).size);
  await pipeline(createReadStream(path, { highWaterMark: MIB }), response).catch(() => undefined);
});
server.listen(0, '127.0.0.1', () => process.send({ type: 'ready', port: server.address().port }));
process.on('disconnect', () => process.exit(0));
