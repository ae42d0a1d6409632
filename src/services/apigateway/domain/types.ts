import type {
  ApiKey,
  Authorizer,
  GatewayResponse,
  Integration,
  IntegrationResponse,
  Method,
  MethodResponse,
  Model,
  RequestValidator,
  RestApi,
  Stage,
  UsagePlan,
} from '@aws-sdk/client-api-gateway';

/** Rows are the SDK's own shapes; dates are virtual milliseconds, since rows are JSON. */

export interface Scope {
  readonly account: string;
  readonly region: string;
}

export type RestApiRow = Omit<RestApi, 'createdDate' | 'id' | 'warnings'> & {
  readonly id: string;
  readonly createdMs: number;
  readonly rootResourceId: string;
};
export type Methods = Record<string, Method>;

export interface ResourceRow {
  readonly id: string;
  readonly parentId?: string;
  readonly pathPart?: string;
  readonly path: string;
  readonly methods: Methods;
}

export type ModelRow = Model & { readonly id: string; readonly name: string };
export type ValidatorRow = RequestValidator & { readonly id: string };
export type AuthorizerRow = Authorizer & { readonly id: string; readonly name: string };
export type GatewayResponseRow = GatewayResponse & { readonly responseType: string };

export interface DeploymentRow {
  readonly id: string;
  readonly description?: string;
  readonly createdMs: number;
  /** Pieces of the stored snapshot. */
  readonly pieces: number;
  readonly apiSummary: Record<string, Record<string, { authorizationType: string; apiKeyRequired: boolean }>>;
}

export type StageRow = Omit<Stage, 'createdDate' | 'lastUpdatedDate'> & {
  readonly stageName: string;
  readonly deploymentId: string;
  readonly createdMs: number;
  readonly updatedMs: number;
};

export type ApiKeyRow = Omit<ApiKey, 'createdDate' | 'lastUpdatedDate'> & {
  readonly id: string;
  readonly value: string;
  readonly enabled: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
};

export type UsagePlanRow = UsagePlan & { readonly id: string; readonly createdMs: number };

/** Everything of an API that a deployment freezes. */
export interface ApiSnapshot {
  readonly api: RestApiRow;
  readonly resources: readonly ResourceRow[];
  readonly models: readonly ModelRow[];
  readonly validators: readonly ValidatorRow[];
  readonly authorizers: readonly AuthorizerRow[];
  readonly gatewayResponses: readonly GatewayResponseRow[];
}

export type { Integration, IntegrationResponse, Method, MethodResponse };
