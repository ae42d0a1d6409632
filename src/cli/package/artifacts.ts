import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3';

/** The bucket that `croft deploy` uploads to, one a region; made when it is first needed. */
export class ArtifactBucket {
  readonly name: string;
  readonly #client: S3Client;

  constructor(config: S3ClientConfig & { region: string }) {
    this.name = `croft-artifacts-${config.region}`;
    this.#client = new S3Client(config);
  }

  /** Uploads under a content-addressed key; false where it is there already. */
  async upload(key: string, bytes: Buffer): Promise<boolean> {
    if (await this.#has(key)) return false;
    const put = new PutObjectCommand({ Bucket: this.name, Key: key, Body: bytes });
    try {
      await this.#client.send(put);
    } catch (error) {
      if (!(error instanceof S3ServiceException) || error.name !== 'NoSuchBucket') throw error;
      await this.#client.send(new CreateBucketCommand({ Bucket: this.name }));
      await this.#client.send(put);
    }
    return true;
  }

  async #has(key: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand({ Bucket: this.name, Key: key }));
      return true;
    } catch (error) {
      // A HEAD has no body to say what is wrong: where it is not simply absent, the upload will say it.
      if (error instanceof S3ServiceException && (error.$metadata.httpStatusCode ?? 500) < 500) return false;
      throw error;
    }
  }
}
