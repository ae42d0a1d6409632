import { rm } from 'node:fs/promises';
import { CloudFormationClient, type Stack } from '@aws-sdk/client-cloudformation';
import { apiUrls } from '../api-urls.ts';
import { type ChangeSetInput, findStack, openChangeSet } from '../change-set.ts';
import { clientConfig, endpointOf, requireRunning } from '../endpoint.ts';
import { CliError, type Output, paint, table } from '../output.ts';
import { ArtifactBucket } from '../package/artifacts.ts';
import { build } from '../package/build.ts';
import { defaultStackName, type LocalCode, localCode, parameterNames, readTemplate, type TemplateFile, templateText } from '../package/template.ts';
import { archive } from '../package/zip.ts';
import type { CommonOptions } from '../program.ts';
import { followStack } from '../stack-events.ts';

export interface DeployOptions extends CommonOptions {
  readonly stackName?: string;
  readonly parameterOverrides?: readonly string[];
  readonly tags?: readonly string[];
  readonly disableRollback?: boolean;
  readonly build: boolean;
}

/** `croft deploy`: what `sam build && sam deploy` does, against Croft. */
export async function deploy(path: string, options: DeployOptions, output: Output): Promise<void> {
  const template = readTemplate(path);
  const endpoint = endpointOf(options.endpoint);
  await requireRunning(endpoint);
  await deployTemplate(template, options, endpoint, output);
}

/** Packages what lies on disk, except the code that `place` has a place for itself, and brings the stack up to date. */
export async function deployTemplate(
  template: TemplateFile,
  options: DeployOptions,
  endpoint: string,
  output: Output,
  place: (code: LocalCode) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const stackName = options.stackName ?? defaultStackName(template);
  if (!/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stackName))
    throw new CliError(`--stack-name ${stackName}: a stack's name is letters, digits and hyphens, begins with a letter and has at most 128`, 2);
  const parameters = keyValues(options.parameterOverrides, '--parameter-overrides');
  const tags = keyValues(options.tags, '--tags');
  const config = clientConfig(endpoint, options.region);
  await packageCode(template, new ArtifactBucket(config), options.build, output, place);
  const client = new CloudFormationClient(config);
  const input: ChangeSetInput = {
    stackName,
    template: templateText(template),
    parameterNames: parameterNames(template),
    parameters,
    tags,
    disableRollback: options.disableRollback ?? false,
  };
  const opened = await openChangeSet(client, input, new ArtifactBucket(config), output);
  if (!opened) {
    const stack = await findStack(client, stackName);
    return report(stack, await apiUrls(config, stackName), output, `${stackName} is up to date.`);
  }
  const status = await followStack(client, opened.stackId, output, opened.after);
  const stack = await findStack(client, opened.stackId);
  if (status !== 'CREATE_COMPLETE' && status !== 'UPDATE_COMPLETE')
    throw new CliError(`${stackName} is ${status}: ${stack?.StackStatusReason ?? 'the lines above say why'}`);
  report(stack, await apiUrls(config, opened.stackId), output, `${stackName} is deployed.`);
}

async function packageCode(
  template: TemplateFile,
  bucket: ArtifactBucket,
  mayBuild: boolean,
  output: Output,
  place: (code: LocalCode) => Promise<boolean>,
): Promise<void> {
  const placed = new Map<string, string>();
  for (const code of localCode(template)) {
    if (await place(code)) continue;
    const known = placed.get(`${code.path}\0${code.runtime}`);
    if (known) {
      code.place(bucket.name, known);
      continue;
    }
    const isCode = code.property === 'CodeUri' || code.property === 'Code';
    const folder = mayBuild && isCode ? await build(code.path, code.runtime, code.logicalId, output) : code.path;
    const packed = await archive(folder);
    if (folder !== code.path) await rm(folder, { recursive: true, force: true });
    const key = `${packed.hash}.zip`;
    const sent = await bucket.upload(key, packed.bytes);
    output.progress(`${code.logicalId}: ${code.property} ${sent ? `uploaded (${packed.bytes.length} bytes)` : 'unchanged'}`);
    code.place(bucket.name, key);
    placed.set(`${code.path}\0${code.runtime}`, key);
  }
}

function keyValues(texts: readonly string[] | undefined, flag: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const text of texts ?? []) {
    const at = text.indexOf('=');
    if (at < 1) throw new CliError(`${flag} takes key=value, not ${JSON.stringify(text)}`, 2);
    values[text.slice(0, at)] = text.slice(at + 1);
  }
  return values;
}

function report(stack: Stack | undefined, urls: readonly string[], output: Output, headline: string): void {
  const outputs = Object.fromEntries((stack?.Outputs ?? []).map((o) => [o.OutputKey ?? '', o.OutputValue ?? '']));
  output.result({ stackName: stack?.StackName, stackId: stack?.StackId, status: stack?.StackStatus, outputs, urls }, () => {
    const lines = [paint.bold(headline)];
    if (Object.keys(outputs).length > 0) lines.push('', 'Outputs', table(Object.entries(outputs).map(([key, value]) => [`  ${key}`, value])));
    if (urls.length > 0) lines.push('', 'HTTP APIs', ...urls.map((url) => `  ${url}`));
    return lines.join('\n');
  });
}
