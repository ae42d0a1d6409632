import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { type Document, isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';
import { CliError } from '../output.ts';
import { CLOUDFORMATION_TAGS } from './yaml-tags.ts';

/** A template on disk, editable in place so that everything the packager does not touch stays as written. */
export interface TemplateFile {
  readonly path: string;
  readonly folder: string;
  readonly document: Document;
}

/** What of the template names a local path, and what it becomes. */
export interface LocalCode {
  readonly logicalId: string;
  readonly resourceType: string;
  readonly property: string;
  /** Absolute path of a file or folder. */
  readonly path: string;
  readonly runtime: string | undefined;
  readonly handler: string | undefined;
  /** `Metadata` that names esbuild's entry point, as SAM has it: `BuildProperties.EntryPoints`. */
  readonly entryPoint: string | undefined;
  /** Replaces the path by where it was uploaded. */
  readonly place: (bucket: string, key: string) => void;
}

const NAMES = ['template.yaml', 'template.yml', 'template.json'];

/** Finds and reads a template; `path` is the file, or a folder with one. */
export function readTemplate(path: string): TemplateFile {
  const file = resolveTemplate(resolve(path));
  const document = parseDocument(readFileSync(file, 'utf8'), { version: '1.1', customTags: CLOUDFORMATION_TAGS, schema: 'yaml-1.1' });
  const error = document.errors[0];
  if (error) throw new CliError(`${file} is not a template: ${error.message}`);
  if (!isMap(document.contents) || !isMap(document.get('Resources'))) throw new CliError(`${file} has no Resources`);
  return { path: file, folder: dirname(file), document };
}

function resolveTemplate(path: string): string {
  if (!existsSync(path)) throw new CliError(`there is no ${path}`);
  if (!statSync(path).isDirectory()) return path;
  const found = NAMES.map((name) => join(path, name)).find((file) => existsSync(file));
  if (!found) throw new CliError(`${path} has no ${NAMES.join(', ')}: name the template, or make an application with \`croft init\``);
  return found;
}

/** The stack's name where none is given: the folder's, in the letters that CloudFormation allows. */
export function defaultStackName(template: TemplateFile): string {
  const name = basename(template.folder)
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .replace(/^[^A-Za-z]+/, '')
    .slice(0, 128);
  return name || 'app';
}

/** Where each resource type names code or another file on disk, and the form of the upload's place. */
const CODE_PROPERTIES: Readonly<Record<string, { property: string; form: 'uri' | 'lambda' | 's3location' | 'url' }>> = {
  'AWS::Serverless::Function': { property: 'CodeUri', form: 'uri' },
  'AWS::Serverless::LayerVersion': { property: 'ContentUri', form: 'uri' },
  'AWS::Serverless::Api': { property: 'DefinitionUri', form: 'uri' },
  'AWS::Serverless::HttpApi': { property: 'DefinitionUri', form: 'uri' },
  'AWS::Serverless::StateMachine': { property: 'DefinitionUri', form: 'uri' },
  'AWS::Serverless::Application': { property: 'Location', form: 'url' },
  'AWS::Lambda::Function': { property: 'Code', form: 'lambda' },
  'AWS::Lambda::LayerVersion': { property: 'Content', form: 'lambda' },
  'AWS::ApiGateway::RestApi': { property: 'BodyS3Location', form: 's3location' },
  'AWS::CloudFormation::Stack': { property: 'TemplateURL', form: 'url' },
};

/** Every local path that the template names. */
export function localCode(template: TemplateFile): LocalCode[] {
  const found: LocalCode[] = [];
  const globals = template.document.getIn(['Globals', 'Function']);
  const resources = template.document.get('Resources');
  if (!isMap(resources)) return found;
  for (const { key, value: resource } of resources.items) {
    if (!isMap(resource)) continue;
    const logicalId = isScalar(key) ? String(key.value) : '';
    const resourceType = String(resource.get('Type') ?? '');
    const rule = CODE_PROPERTIES[resourceType];
    const properties = resource.get('Properties');
    if (!rule || !isMap(properties)) continue;
    const own = properties.get(rule.property);
    const inherited =
      own === undefined && resourceType === 'AWS::Serverless::Function' && !properties.has('InlineCode') && isMap(globals)
        ? globals.get(rule.property)
        : undefined;
    // SAM: no CodeUri means the template's own folder.
    const text =
      own ??
      inherited ??
      (rule.property === 'CodeUri' && !properties.has('InlineCode') && !properties.has('ImageUri') && properties.get('PackageType') !== 'Image'
        ? '.'
        : undefined);
    if (typeof text !== 'string' || /^(s3|https?):\/\//.test(text)) continue;
    const path = isAbsolute(text) ? text : join(template.folder, text);
    if (!existsSync(path)) throw new CliError(`${logicalId}: ${rule.property} names ${text}, and there is no ${path}`);
    found.push({
      logicalId,
      resourceType,
      property: rule.property,
      path,
      runtime: settingOf(properties, globals, 'Runtime'),
      handler: settingOf(properties, globals, 'Handler'),
      entryPoint: entryPointOf(resource),
      place: (bucket, key) => place(template.document, properties, rule, bucket, key),
    });
  }
  return found;
}

function settingOf(properties: YAMLMap, globals: unknown, name: 'Runtime' | 'Handler'): string | undefined {
  const value = properties.get(name) ?? (isMap(globals) ? globals.get(name) : undefined);
  return typeof value === 'string' ? value : undefined;
}

function entryPointOf(resource: YAMLMap): string | undefined {
  const entry = resource.getIn(['Metadata', 'BuildProperties', 'EntryPoints', 0]);
  return resource.getIn(['Metadata', 'BuildMethod']) === 'esbuild' && typeof entry === 'string' ? entry : undefined;
}

function place(document: Document, properties: YAMLMap, rule: { property: string; form: string }, bucket: string, key: string): void {
  const value =
    rule.form === 'uri'
      ? `s3://${bucket}/${key}`
      : rule.form === 'lambda'
        ? { S3Bucket: bucket, S3Key: key }
        : rule.form === 's3location'
          ? { Bucket: bucket, Key: key }
          : `https://s3.amazonaws.com/${bucket}/${key}`;
  properties.set(rule.property, document.createNode(value));
}

/** The parameters that the template declares. */
export function parameterNames(template: TemplateFile): string[] {
  const parameters = template.document.get('Parameters');
  return isMap(parameters) ? parameters.items.map(({ key }) => (isScalar(key) ? String(key.value) : String(key))) : [];
}

/** The template's text with the places filled in. */
export function templateText(template: TemplateFile): string {
  return template.document.toString({ lineWidth: 0 });
}
