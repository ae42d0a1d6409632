import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as yauzl from 'yauzl';

const inflate = promisify(gunzip);

/** A `service-2` model found in the wheel: `botocore/data/<service>/<date>/service-2.json[.gz]`. */
export interface RawModelFile {
  readonly service: string;
  readonly date: string;
  readonly json: unknown;
}

/** Reads the newest `service-2` model of each named service out of a botocore wheel (a zip file). */
export async function readModels(wheelPath: string, services: readonly string[]): Promise<RawModelFile[]> {
  const zip = await open(wheelPath);
  const newest = new Map<string, { date: string; entry: yauzl.Entry }>();
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      const match = /^botocore\/data\/([^/]+)\/([^/]+)\/service-2\.json(?:\.gz)?$/.exec(entry.fileName);
      const [, service = '', date = ''] = match ?? [];
      if (services.includes(service) && date > (newest.get(service)?.date ?? '')) newest.set(service, { date, entry });
      zip.readEntry();
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
  const found: RawModelFile[] = [];
  for (const service of services) {
    const file = newest.get(service);
    if (!file) throw new Error(`${wheelPath} has no service-2 model of ${service}`);
    const bytes = await read(zip, file.entry);
    const text = file.entry.fileName.endsWith('.gz') ? await inflate(bytes) : bytes;
    found.push({ service, date: file.date, json: JSON.parse(text.toString('utf8')) });
  }
  zip.close();
  return found;
}

function open(path: string): Promise<yauzl.ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

function read(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => resolve(Buffer.concat(chunks)));
      stream.on('error', reject);
    });
  });
}
