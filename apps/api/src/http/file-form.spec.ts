import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { DomainError } from '#libs/kernel';

import { type FormFile, readFileForm } from './file-form.js';

const BOUNDARY = 'b';
const part = (head: string, body: string) => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

function requestOf(text: string, whole = true): IncomingMessage {
  const stream = new PassThrough();
  const request = Object.assign(stream, { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }, complete: whole });
  stream.write(text);
  if (whole) stream.end();
  else setImmediate(() => stream.destroy());
  return request as unknown as IncomingMessage;
}

const texts = async ({ fileName, body }: FormFile): Promise<string> => `${fileName}=${(await buffer(body)).toString()}`;

describe('a form with files', () => {
  it('gives them one after the other, with the fields that came before', async () => {
    const seen: string[][] = [];
    const text =
      part('name="a"', '1') + part('name="file"; filename="x"', 'X') + part('name="b"', '2') + part('name="file"; filename="y"', 'Y') + END;
    const { files, fields } = await readFileForm(requestOf(text), {
      maxFiles: 5,
      take: (file, before) => {
        seen.push([...before.keys()]);
        return texts(file);
      },
    });
    expect(files).toEqual(['x=X', 'y=Y']);
    expect(seen).toEqual([['a'], ['a', 'b']]);
    expect([...fields]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('is refused with the first error of a file, and reads on', async () => {
    const text = part('name="file"; filename="x"', 'X'.repeat(300_000)) + part('name="file"; filename="y"', 'Y') + END;
    const refusal = new DomainError('NAME_ILLEGAL', 'no');
    const take = (file: FormFile) => (file.fileName === 'x' ? Promise.reject(refusal) : texts(file));
    await expect(readFileForm(requestOf(text), { maxFiles: 5, take })).rejects.toBe(refusal);
  });

  it.each([
    ['cut off', () => requestOf(part('name="file"; filename="x"', 'X'), false)],
    ['whose sender has left', () => requestOf('', false).destroy()],
    ['with too many files', () => requestOf(part('name="file"; filename="x"', 'X') + part('name="file"; filename="y"', 'Y') + END)],
    ['of no kind', () => Object.assign(new PassThrough().end(), { headers: {}, complete: true }) as unknown as IncomingMessage],
  ])('is refused %s, and whoever reads a file of it comes to an end', async (_, make) => {
    const read: Promise<unknown>[] = [];
    const take = ({ body }: FormFile): Promise<string> => {
      const reading = buffer(body).then((bytes) => bytes.toString());
      read.push(reading.catch(() => 'broken'));
      return reading;
    };
    await expect(readFileForm(make(), { maxFiles: 1, take })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await Promise.all(read);
  });
});
