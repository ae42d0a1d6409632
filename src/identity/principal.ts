/** Who calls, as the identity layer found it. */
export interface Principal {
  /** 12 digits. */
  readonly account: string;
  readonly accessKeyId: string;
  /** e.g. `arn:aws:iam::000000000000:root`, `arn:aws:sts::…:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  readonly userId: string;
  /** `root`, an IAM user, a role session, an AWS service acting by itself, or nobody (unsigned). */
  readonly type: 'root' | 'user' | 'assumed-role' | 'service' | 'anonymous';
  /** Tags of a role session that the sessions it starts have too. */
  readonly transitiveTags?: Readonly<Record<string, string>>;
}

/** A key pair that can sign requests, long-term or of a session. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present for temporary credentials: the request must carry the same token. */
  readonly sessionToken?: string;
  /** Real time, for temporary credentials. */
  readonly expiresMs?: number;
  readonly principal: Principal;
}
