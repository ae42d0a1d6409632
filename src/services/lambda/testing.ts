import { ZipFile } from 'yazl';

/** A zip of texts, for tests: names to contents. */
export async function zipFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

export const ROLE = 'arn:aws:iam::000000000000:role/functions';
