import { ZipFile } from 'yazl';

/** Zips carry times: a constant one, so that the same text is the same code. */
const MTIME = new Date(Date.UTC(1980, 1, 1));

/** The package of a template's inline code: one file, named after the language. */
export async function zipOf(runtime: string, source: string): Promise<Uint8Array> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(source, 'utf8'), runtime.startsWith('python') ? 'index.py' : 'index.js', { mtime: MTIME, mode: 0o100644 });
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
