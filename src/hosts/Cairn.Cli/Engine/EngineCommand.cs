using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Up;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Hosting;

namespace Cairn.Cli.Engine;

internal sealed class EngineCommand : CairnCommand
{
    private readonly Argument<string[]> _folders = new("FOLDER")
    {
        Description = "Folders of models: onnxruntime-genai's layout, onnx-community's, or an encoder's.", Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _name = new("--name") { Description = "The name that requests give; default the folder's.", HelpName = "NAME" };
    private readonly Option<string> _host = new("--host")
    {
        Description = "A loopback address: 127.0.0.1 or ::1.", DefaultValueFactory = _ => "127.0.0.1", HelpName = "ADDRESS",
    };

    private readonly Option<int> _port = new("--port")
    {
        Description = "Where HTTP/1.1 answers; 0 takes a free one.", DefaultValueFactory = _ => 8000, HelpName = "PORT",
    };

    private readonly Option<int> _grpcPort = new("--grpc-port")
    {
        Description = "Where gRPC answers; 0 takes a free one, -1 turns it off.", DefaultValueFactory = _ => 8001, HelpName = "PORT",
    };

    private readonly Option<int> _rows = new("--rows")
    {
        Description = "Sequences decoded together, 1 to 256.", DefaultValueFactory = _ => new EngineOptions().Rows, HelpName = "N",
    };

    private readonly Option<int> _queue = new("--queue")
    {
        Description = "Requests that may wait for a row; one more is refused.",
        DefaultValueFactory = _ => new EngineOptions().QueueLimit,
        HelpName = "N",
    };

    private readonly Option<int> _drain = new("--drain")
    {
        Description = "How long requests under way may go on once it is asked to stop, 0 to 600 seconds.",
        DefaultValueFactory = _ => new EngineHostOptions().DrainSeconds,
        HelpName = "SECONDS",
    };

    private readonly EngineFlags _flags = new();
    private readonly TensorFlags _tensors = new();

    public EngineCommand() : base("engine", "Serve models from this machine's memory: OpenAI's API, health and metrics on loopback. Ctrl-C finishes what is under way and gives all memory back.",
        "cairn engine models/tiny --port 8000 --rows 8")
    {
        Arguments.Add(_folders);
        foreach (var option in new Option[] { _name, _host, _port, _grpcPort, _rows, _queue, _drain })
            Options.Add(option);
        _flags.AddTo(this);
        _tensors.AddTo(this);
        Subcommands.Add(new EngineBenchCommand());
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var options = Read(context);
        await using var host = await StartAsync(options, context, cancellationToken);
        try
        {
            await host.Ready.WaitAsync(cancellationToken);
        }
        catch (ModelLoadException exception)
        {
            throw new CliException(ExitCodes.Refused, exception.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Success;
        }

        EngineText.Announce(context.Output, host, SinceStart());
        return await host.UntilStoppedAsync(cancellationToken) ? ExitCodes.Success : ExitCodes.Failure;
    }

    private EngineHostOptions Read(CommandContext context)
    {
        var errors = new List<string>();
        var folders = context.Get(_folders)!;
        var name = context.Get(_name);
        var engine = _flags.Read(context, context.Get(_rows), context.Get(_queue), errors);
        var tensors = _tensors.Read(context, engine.Threads);
        if (folders.Length == 0 && tensors.Repositories.Count == 0)
            errors.Add("There is nothing to serve: name a FOLDER with a model, or a --repository of ONNX models.");
        if (name is not null && folders.Length != 1)
            errors.Add($"--name {name} names one model, and there are {folders.Length} folders; without it each has its folder's name.");
        if (!IPAddress.TryParse(context.Get(_host)!.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase), out var address))
            errors.Add($"--host {context.Get(_host)}: expected a loopback address, such as 127.0.0.1.");
        address ??= IPAddress.Loopback;
        var options = new EngineHostOptions
        {
            Http = new IPEndPoint(address, Port("--port", context.Get(_port), errors)),
            Grpc = context.Get(_grpcPort) == -1 ? null : new IPEndPoint(address, Port("--grpc-port", context.Get(_grpcPort), errors)),
            Tensors = tensors,
            DrainSeconds = context.Get(_drain),
            Models = [.. folders.Select(Path.GetFullPath).Select(folder => new ModelSource(name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), folder, engine))],
        };
        errors.AddRange(options.Validate());
        return errors.Count == 0 ? options : throw new CliException(ExitCodes.Usage, "The engine cannot start so:", errors);
    }

    // A port that is refused leaves a free one, so that what else is wrong is told too.
    private static int Port(string option, int port, List<string> errors)
    {
        if (port is >= 0 and <= 65535)
            return port;
        errors.Add($"{option} is {port}; expected 0 to 65535.");
        return 0;
    }

    private static async Task<EngineHost> StartAsync(EngineHostOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await EngineHost.StartAsync(options, TimeProvider.System, logging => HostLogging.Configure(logging, context.Output), cancellationToken);
        }
        catch (IOException exception) when (exception.Message.Contains("address already in use", StringComparison.OrdinalIgnoreCase))
        {
            throw new CliException(ExitCodes.Refused, $"{exception.Message} --port and --grpc-port choose other ports.");
        }
    }

    // From the process's own beginning, so that the runtime's share is told too.
    private static TimeSpan SinceStart()
    {
        using var process = Process.GetCurrentProcess();
        return TimeProvider.System.GetUtcNow() - process.StartTime.ToUniversalTime();
    }
}
