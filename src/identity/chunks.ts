/** Checks the signatures of a `STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]` body, chunk after chunk; the shape of `ChunkHooks` in `protocol/awsChunked.ts`. */
export interface ChunkSigner {
  verifyChunk(signature: string | undefined, sha256: string): void;
  verifyTrailers?(signature: string | undefined, sha256: string): void;
}
