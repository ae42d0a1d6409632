/**
 * Metadata that is not plain ASCII goes out as RFC 2047 has it ("Editing object metadata": user-defined metadata): quoted-printable where most of it is
 * ASCII, else Base64.
 */
export function encodeWords(text: string): string {
  const strange = text.length - text.replace(/[^\t\n\r\x20-\x7e]/g, '').length;
  if (strange === 0) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (text.length - strange <= strange) return `=?UTF-8?B?${bytes.toString('base64')}?=`;
  let quoted = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (char === ' ') quoted += '_';
    else if (byte < 0x21 || byte >= 0x7f || '=_?'.includes(char)) quoted += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    else quoted += char;
  }
  return `=?UTF-8?Q?${quoted}?=`;
}

/** A header can carry Latin-1; what is beyond it S3 replaces by a space. */
export function latin1Only(text: string): string {
  return [...text].map((char) => ((char.codePointAt(0) ?? 0) > 0xff ? ' ' : char)).join('');
}
