export async function backUpFile(_file: string, _path: string): Promise<void> {
  throw new Error('not yet');
}
