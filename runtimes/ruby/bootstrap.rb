# frozen_string_literal: true

# The Ruby runtime of Croft: takes events from the Runtime API, calls the handler, posts what it returns.
# Started as `ruby bootstrap.rb LIFELINE_FD`. Works on Ruby 3.0 and later. Follows "Define Lambda function handler in Ruby" and "Using the Lambda
# runtime API for custom runtimes"; error types and exit codes are those of AWS's runtime.
#
# One line of stdout is one log event; a message of several lines is written with MESSAGE_NEWLINE inside (bytes that no UTF-8 text contains).

require 'json'
require 'logger'
require 'socket'
require 'stringio'

$stdout.sync = true
$stderr.sync = true

# What the handler gets as `context`; "Using the Lambda context object to retrieve Ruby function information".
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name, :memory_limit_in_mb,
              :function_version, :identity, :tenant_id, :client_context, :deadline_ms

  def initialize(headers)
    @deadline_ms = headers['lambda-runtime-deadline-ms'].to_i
    @aws_request_id = headers['lambda-runtime-aws-request-id']
    @invoked_function_arn = headers['lambda-runtime-invoked-function-arn']
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
    @identity = parsed(headers['lambda-runtime-cognito-identity'])
    @client_context = parsed(headers['lambda-runtime-client-context'])
    @tenant_id = headers['lambda-runtime-aws-tenant-id']
  end

  def get_remaining_time_in_millis
    [@deadline_ms - (Time.now.to_f * 1000).floor, 0].max
  end

  private

  def parsed(text)
    JSON.parse(text) unless text.to_s.empty?
  end
end

module AwsLambda
  # How events and answers are read and written: functions may replace these.
  class Marshaller
    class << self
      def marshall_request(raw_request)
        raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
      end

      def marshall_response(method_response)
        case method_response
        when StringIO, IO then [method_response, 'application/unknown']
        else method_response.to_json
        end
      end
    end
  end
end

module Croft
  MESSAGE_NEWLINE = "\xFF\x8A".b.freeze

  class << self
    attr_accessor :request_id
  end

  # One log event, however many lines it has.
  def self.write_event(text)
    $stdout.write("#{text.to_s.chomp.b.gsub("\n".b, MESSAGE_NEWLINE)}\n".b)
  end

  # `puts` of the function: one event.
  module Puts
    def puts(*values)
      # Kernel's own, which writes to whatever $stdout is.
      return super unless $stdout.equal?(STDOUT)

      Croft.write_event(values.flatten.map { |value| value.to_s.encode('UTF-8', invalid: :replace, undef: :replace) }.join("\n"))
      nil
    end
  end

  # Where loggers to stdout and stderr write.
  class LogDevice
    def write(text)
      Croft.write_event(text)
    end

    def close; end

    def reopen(_log = nil)
      self
    end
  end

  # The format of loggers: with the request's id.
  class LogFormat < Logger::Formatter
    def call(severity, time, progname, message)
      format('%s, [%s #%d] %5s %s -- %s: %s', severity[0], format_datetime(time), $PROCESS_ID || Process.pid, severity, Croft.request_id, progname, msg2str(message))
    end
  end

  module Loggers
    def initialize(device = nil, *rest, **options)
      return super unless device.nil? || device.equal?($stdout) || device.equal?($stderr)

      super(LogDevice.new, *rest, **{ formatter: LogFormat.new }.merge(options))
    end
  end

  # What a request of the Runtime API brought; what AWS's runtime has of Net::HTTP, as far as functions see it.
  class Request
    attr_reader :headers, :body

    def initialize(headers, body)
      @headers = headers
      @body = body
    end

    def [](name)
      @headers[name.downcase]
    end
  end

  # One kept-alive connection to the Runtime API. The platform gone means that this process has no purpose: it exits.
  class RuntimeApi
    BASE = '/2018-06-01/runtime'

    def initialize(address)
      @host = address
      host, _, port = address.rpartition(':')
      @socket = TCPSocket.new(host, port.to_i)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    end

    def next_request
      @socket.write("GET #{BASE}/invocation/next HTTP/1.1\r\nHost: #{@host}\r\n\r\n")
      read
    end

    def post(path, body, headers)
      lines = headers.map { |name, value| "#{name}: #{value}\r\n" }.join
      @socket.write("POST #{BASE}/#{path} HTTP/1.1\r\nHost: #{@host}\r\nContent-Length: #{body.bytesize}\r\n#{lines}\r\n".b + body.b)
      read
    end

    private

    def read
      line or return
      headers = {}
      while (text = line) && !text.empty?
        name, _, value = text.partition(':')
        headers[name.downcase] = value.strip
      end
      body = @socket.read(headers['content-length'].to_i).to_s
      Request.new(headers, body.force_encoding(Encoding::UTF_8))
    end

    def line
      text = @socket.gets("\r\n")
      exit!(0) if text.nil?
      text.chomp("\r\n")
    end
  end

  # An exception as AWS's runtime reports it.
  class Failure
    # Types that are told to the platform as they are.
    TOLD = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze
    TRACE_LENGTH_MAX = 100

    attr_reader :body

    def initialize(error, classification)
      @type = "#{classification}<#{error.class}>"
      @told = TOLD.include?(error.class.to_s)
      trace = (error.backtrace || []).take_while { |line| !line.start_with?(__FILE__) }.first(TRACE_LENGTH_MAX)
      @body = { errorMessage: error.message, errorType: @type, stackTrace: trace }
    end

    def headers
      { 'Content-Type' => 'application/json', 'Lambda-Runtime-Function-Error-Type' => @told ? @type : 'Function<UserException>' }
    end

    def log(title)
      Croft.write_event(title)
      Croft.write_event(JSON.pretty_generate(@body))
    end
  end

  # Loads the handler, then serves events until the environment ends.
  class Runtime
    INIT_FAILED = 252
    HANDLER_FAILED = 255

    def initialize(api, handler)
      @api = api
      @handler = handler
    end

    def run
      load_handler
      loop { serve(@api.next_request) }
    end

    private

    def load_handler
      parts = @handler.split('.')
      unless [2, 3].include?(parts.size)
        raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable method. If using CLASS, METHOD must be a class-level method."
      end
      file, *@namespace, @method = parts
      root = ENV.fetch('LAMBDA_TASK_ROOT', Dir.pwd)
      $LOAD_PATH.unshift(root) unless $LOAD_PATH.include?(root)
      require file
    rescue Exception => e # whatever the function's own code does while it loads
      failure = Failure.new(e, 'Init')
      failure.log('Init error when loading handler ')
      @api.post('init/error', failure.body.to_json, failure.headers)
      exit!(INIT_FAILED)
    end

    def serve(request)
      id = Croft.request_id = request['lambda-runtime-aws-request-id']
      trace = request['lambda-runtime-trace-id']
      trace ? ENV['_X_AMZN_TRACE_ID'] = trace : ENV.delete('_X_AMZN_TRACE_ID')
      body, type = call(request)
      body = body.read if type == 'application/unknown'
      @api.post("invocation/#{id}/response", body, 'Content-Type' => type || 'application/json')
    rescue NameError, SystemStackError, NoMemoryError, ScriptError, SignalException, SystemExit => e
      # AWS's runtime ends after these.
      fail_invocation(id, e, 'Critical exception from handler')
      exit!(HANDLER_FAILED)
    rescue StandardError => e
      fail_invocation(id, e, 'Error raised from handler method')
    end

    def call(request)
      options = { event: AwsLambda::Marshaller.marshall_request(request), context: LambdaContext.new(request.headers) }
      receiver = @namespace.empty? ? TOPLEVEL_BINDING.receiver : Kernel.const_get(@namespace.first)
      AwsLambda::Marshaller.marshall_response(receiver.__send__(@method, **options))
    end

    def fail_invocation(id, error, title)
      failure = Failure.new(error, 'Function')
      failure.log(title)
      @api.post("invocation/#{id}/error", failure.body.to_json, failure.headers)
    end
  end

  # Ends this process when the platform dies, even by SIGKILL: it holds the other end of the descriptor.
  def self.watch_lifeline(descriptor)
    return if descriptor.negative?

    line = IO.for_fd(descriptor, 'r')
    line.close_on_exec = true
    Thread.new do
      line.read
      exit!(0)
    end
  end
end

Kernel.prepend(Croft::Puts)
Object.prepend(Croft::Puts)
Logger.prepend(Croft::Loggers)
Croft.watch_lifeline((ARGV.shift || -1).to_i)
Croft::Runtime.new(Croft::RuntimeApi.new(ENV.fetch('AWS_LAMBDA_RUNTIME_API')), ENV.fetch('_HANDLER', '')).run
