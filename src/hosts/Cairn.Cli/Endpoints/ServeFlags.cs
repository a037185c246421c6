using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Jobs;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

/// <summary>What can be said of an endpoint beside its workload.</summary>
internal sealed class ServeFlags
{
    public Option<string?> Name { get; } = new("--name") { Description = "The endpoint's name instead of the workload's.", HelpName = "NAME" };

    private readonly Option<string?> _model = new("--model") { Description = "The name that clients call the model by.", HelpName = "NAME" };
    private readonly Option<int?> _min = new("--min") { Description = "At least so many replicas; 0 lets it sleep.", HelpName = "N" };
    private readonly Option<int?> _max = new("--max") { Description = "At most so many replicas.", HelpName = "N" };
    private readonly Option<double?> _concurrency = new("--target-concurrency")
    {
        Description = "Requests that one replica is meant to have at once.", HelpName = "N",
    };

    private readonly Option<int?> _replicaLimit = new("--replica-limit")
    {
        Description = "Requests that one replica has at once; more wait in line.", HelpName = "N",
    };

    private readonly Option<double?> _window = new("--window")
    {
        Description = "Seconds of load that are averaged, at least 6; a tenth of it notices bursts.", HelpName = "SECONDS",
    };

    private readonly Option<double?> _downDelay = new("--scale-down-delay") { Description = "Seconds before fewer replicas are kept.", HelpName = "SECONDS" };
    private readonly Option<double?> _zeroDelay = new("--scale-to-zero-delay")
    {
        Description = "Seconds without a request before it sleeps.", HelpName = "SECONDS",
    };

    private readonly Option<decimal?> _spendCap = new("--spend-cap")
    {
        Description = "What all replicas together may cost, in dollars per hour.", HelpName = "USD",
    };

    private readonly Option<decimal?> _inputPrice = new("--input-price")
    {
        Description = "Dollars per million prompt tokens that users are charged.", HelpName = "USD",
    };

    private readonly Option<decimal?> _outputPrice = new("--output-price")
    {
        Description = "Dollars per million output tokens that users are charged.", HelpName = "USD",
    };

    private readonly Option<int?> _context = new("--context")
    {
        Description = "Prompt and output together, in tokens; of a model of the catalogue 8192 where it has so many.", HelpName = "TOKENS",
    };

    private readonly Option<string[]> _fallback = new("--fallback")
    {
        Description = "A model that answers where this one cannot. May be repeated.", HelpName = "MODEL",
    };

    private readonly Option<string[]> _host = new("--host") { Description = "A DNS name of the endpoint's own. May be repeated.", HelpName = "NAME" };
    private readonly Option<string[]> _env = new("--env", "-e") { Description = "Set an environment variable; K alone passes on this shell's value.", HelpName = "K=V" };
    private readonly Option<string[]> _secret = new("--secret") { Description = "Give a secret that the workload names.", HelpName = "K[=V]" };
    private readonly Option<string?> _at = new("--at") { Description = "Run there and nowhere else.", HelpName = "PROVIDER[/REGION]" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            Name, _model, _min, _max, _concurrency, _replicaLimit, _window, _downDelay, _zeroDelay, _spendCap, _inputPrice, _outputPrice, _context, _fallback, _host, _env, _secret, _at,
        })
            command.Options.Add(option);
    }

    /// <summary>Tokens of a sequence, and the names of the secrets that are given.</summary>
    public (int? Context, IReadOnlyList<string> Secrets) ForEngine(CommandContext context) =>
        (context.Get(_context), RunCommand.Pairs(context.Get(_secret), "--secret") is { } secrets ? [.. secrets.Keys] : []);

    public ServeRequest Request(CommandContext context, ServedThing thing) => new()
    {
        Workload = thing.Text.Text,
        FileName = thing.Text.Name,
        Name = context.Get(Name),
        Model = context.Get(_model) ?? thing.Model,
        Env = RunCommand.Pairs(context.Get(_env), "--env"),
        Secrets = RunCommand.Pairs(context.Get(_secret), "--secret"),
        At = context.Get(_at),
        InputPrice = context.Get(_inputPrice),
        OutputPrice = context.Get(_outputPrice),
        ContextLength = context.Get(_context) ?? thing.Context,
        ReplicaConcurrency = context.Get(_replicaLimit),
        Fallbacks = context.Get(_fallback) is { Length: > 0 } fallbacks ? fallbacks : null,
        Hosts = context.Get(_host) is { Length: > 0 } hosts ? hosts : null,
        Scaling = new ScalingRequest
        {
            Min = context.Get(_min), Max = context.Get(_max), TargetConcurrency = context.Get(_concurrency) ?? thing.Concurrency, WindowSeconds = context.Get(_window),
            ScaleDownDelaySeconds = context.Get(_downDelay),
            ScaleToZeroDelaySeconds = context.Get(_zeroDelay), SpendCapUsdPerHour = context.Get(_spendCap),
        },
    };
}
