import { Command, CommanderError, Option } from 'commander';
import { SETTINGS, SettingError } from '../server/settings.ts';
import { version } from '../server/version.ts';
import { CliError, createOutput, type Output, type OutputForm } from './output.ts';

/** Options that every command which talks to a running Croft takes. */
export interface CommonOptions {
  readonly endpoint?: string;
  readonly region?: string;
  readonly output?: OutputForm;
}

const common = (command: Command): Command =>
  command
    .option('--endpoint <url>', 'where Croft is (CROFT_ENDPOINT, AWS_ENDPOINT_URL; default http://127.0.0.1:4566)')
    .option('--region <region>', 'AWS region (AWS_REGION; default us-east-1)')
    .addOption(new Option('--output <form>', 'how the result is printed').choices(['json', 'table']).default('table'));

const outputOf = (options: CommonOptions): Output => createOutput(options.output ?? 'table');

/** `croft` and its commands. Each command's code is loaded when it is used, so that `croft --help` is quick. */
export function program(): Command {
  const croft = new Command('croft')
    .description('A serverless cloud you own: AWS Lambda and the services around it, on your machine.')
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(add --help for the options)');

  const start = croft
    .command('start')
    .description('start Croft and stay in the foreground')
    .option('-d, --detach', 'return when it is ready and leave it running');
  addServerOptions(start);
  start.action(async (options) => (await import('./commands/start.ts')).start(options));

  common(croft.command('stop').description('stop the running Croft, letting requests finish')).action(async (options: CommonOptions) =>
    (await import('./commands/stop.ts')).stop(options, outputOf(options)),
  );
  common(croft.command('status').description('say whether Croft runs, and what it serves; exit code 1 where it does not')).action(
    async (options: CommonOptions) => (await import('./commands/status.ts')).status(options, outputOf(options)),
  );
  addStackCommands(croft);
  addFunctionCommands(croft);
  addHouseCommands(croft);
  return croft;
}

function addServerOptions(command: Command): void {
  for (const setting of SETTINGS) {
    const flag = setting.kind === 'switch' ? setting.flag : `${setting.flag} <${setting.kind === 'text' ? 'value' : setting.kind}>`;
    const fallback = setting.default === undefined || setting.default === false ? '' : ` (default: ${setting.default})`;
    command.option(flag, `${setting.help}${setting.choices ? `; one of ${setting.choices.join(', ')}` : ''}${fallback}`);
  }
  command.option('--config <file>', 'settings file (default: croft.config.json, where there is one)');
  command.addHelpText('after', '\nEvery option has a variable (CROFT_DATA_DIR for --data-dir) and a name in croft.config.json (dataDir).');
}

function addStackCommands(croft: Command): void {
  common(
    croft
      .command('deploy')
      .description('package a SAM or CloudFormation application and bring its stack up to date')
      .argument('[path]', 'the template, or the folder that holds template.yaml', '.')
      .option('--stack-name <name>', "the stack's name (default: the folder's)")
      .option('--parameter-overrides <key=value...>', 'template parameters')
      .option('--tags <key=value...>', 'stack tags')
      .option('--disable-rollback', 'keep what was made when the deployment fails')
      .option('--no-build', 'do not install the dependencies of functions (requirements.txt, package.json)'),
  ).action(async (path: string, options) => (await import('./commands/deploy.ts')).deploy(path, options, outputOf(options)));
  common(
    croft
      .command('dev')
      .description('deploy an application and run its code as it lies on disk: save a file, and the next call runs it')
      .argument('[path]', 'the template, or the folder that holds template.yaml', '.')
      .option('--stack-name <name>', "the stack's name (default: the folder's)")
      .option('--parameter-overrides <key=value...>', 'template parameters')
      .option('--inspect', 'one debugger port for Node.js (9229) and one for Python (5678); starts Croft for it')
      .option('--no-build', 'do not install the dependencies of what is deployed as a package'),
  ).action(async (path: string, options) => (await import('./commands/dev.ts')).dev(path, options, outputOf(options)));
  common(croft.command('delete').description('delete a stack and all it made').argument('<stack>', "the stack's name")).action(
    async (stack: string, options: CommonOptions) => (await import('./commands/delete.ts')).deleteStack(stack, options, outputOf(options)),
  );
}

function addFunctionCommands(croft: Command): void {
  common(
    croft
      .command('invoke')
      .description('invoke a function and print what it returns; exit code 1 where the function failed')
      .argument('<function>', 'name or ARN; or the logical id with --stack-name')
      .option('-p, --payload <json>', 'the event')
      .option('-e, --event <file>', 'the event from a file (- for stdin)')
      .option('--stack-name <name>', 'look the function up by its logical id in this stack')
      .option('--async', 'hand the event over and do not wait (InvocationType Event)')
      .option('-l, --log', 'print the log of this invocation too (stderr)'),
  ).action(async (name: string, options) => (await import('./commands/invoke.ts')).invoke(name, options, outputOf(options)));
  common(
    croft
      .command('logs')
      .description("print a function's log, or that of a log group (a name with a /)")
      .argument('<name>', 'function name, or log group')
      .option('-t, --tail', 'go on printing what comes')
      .option('--since <age>', 'how far back, e.g. 30s, 10m, 2h, 1d', '10m')
      .option('--filter <pattern>', 'CloudWatch Logs filter pattern'),
  ).action(async (name: string, options) => (await import('./commands/logs.ts')).logs(name, options, outputOf(options)));
}

function addHouseCommands(croft: Command): void {
  croft
    .command('init')
    .description('write a small example application to start from')
    .argument('[folder]', 'where to', 'my-croft-app')
    .action(async (folder: string) => (await import('./commands/init.ts')).init(folder, createOutput('table')));
  croft
    .command('doctor')
    .description('check what this machine has for Croft, and what is missing')
    .addOption(new Option('--output <form>', 'how the result is printed').choices(['json', 'table']).default('table'))
    .option('--data-dir <folder>', 'where data is kept', '.croft')
    .option('--port <port>', 'the port to check', '4566')
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(options, outputOf(options)));
  const runtimes = croft.command('runtimes').description("the languages that functions can be written in, by AWS's names");
  runtimes
    .command('list')
    .description('show which interpreter of this machine runs each, and what is missing')
    .addOption(new Option('--output <form>', 'how the result is printed').choices(['json', 'table']).default('table'))
    .action(async (options: CommonOptions) => (await import('./commands/runtimes.ts')).list(outputOf(options)));
  runtimes
    .command('install')
    .description('install what a package registry has of a runtime (Node.js; the client for Java); say how for the rest')
    .argument('<name>', 'e.g. nodejs22.x or java21')
    .action(async (name: string) => (await import('./commands/runtimes.ts')).install(name, createOutput('table')));
  common(
    croft
      .command('trace')
      .description('print what a request caused: calls, deliveries with their retries, and what was written')
      .argument('<id>', 'a request id (x-amzn-RequestId) or a trace (X-Amzn-Trace-Id)'),
  ).action(async (id: string, options: CommonOptions) => (await import('./commands/trace.ts')).trace(id, options, outputOf(options)));
  const images = croft.command('images').description('container images for functions');
  common(
    images
      .command('push')
      .description("put an image into Croft's registry: an OCI layout, an archive of one, or what `docker save` writes")
      .argument('<path>', 'the folder or the file')
      .argument('<name>', 'repository, or repository:tag (default tag: latest); the repository is made where it is missing'),
  ).action(async (path: string, name: string, options: CommonOptions) => (await import('./commands/images.ts')).push(path, name, options, outputOf(options)));
  croft
    .command('backup')
    .description('copy all data to a new folder, while Croft runs')
    .argument('<folder>', 'where to; must not exist')
    .option('--endpoint <url>', 'where Croft is')
    .action(async (folder: string, options: CommonOptions) => (await import('./commands/backup.ts')).backup(folder, options, createOutput('table')));
  croft
    .command('restore')
    .description('put a backup into a data directory that is empty')
    .argument('<folder>', 'the backup')
    .option('--data-dir <folder>', 'where data is kept', '.croft')
    .action(async (folder: string, options: { dataDir: string }) => (await import('./commands/backup.ts')).restore(folder, options, createOutput('table')));
  const tls = croft.command('tls').description('the local certificate authority of --tls');
  tls
    .command('ca')
    .description('print the CA certificate, for AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS')
    .option('--data-dir <folder>', 'where data is kept', '.croft')
    .action(async (options: { dataDir: string }) => (await import('./commands/tls.ts')).printCa(options));
}

/** Runs one command line; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: 'user' });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CliError) {
      process.stderr.write(`croft: ${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof SettingError) {
      process.stderr.write(`croft: ${error.message}\n`);
      return 2;
    }
    process.stderr.write(`croft: ${sentenceOf(error)}\n`);
    if (process.env['CROFT_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return 1;
  }
}

/** An error of a service or the system, as one line. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return 'there is no space left on the disk: free some, nothing acknowledged was lost';
  if (code === 'ECONNREFUSED') return 'Croft does not answer: start it with `croft start`, or name another place with --endpoint';
  return error.name && error.name !== 'Error' ? `${error.name}: ${error.message}` : error.message;
}
