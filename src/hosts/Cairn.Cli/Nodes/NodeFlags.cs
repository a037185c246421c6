using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;

namespace Cairn.Cli.Nodes;

/// <summary>What the person who starts a daemon says of the machine: the same flags for <c>up</c> and <c>node join</c>.</summary>
internal sealed class NodeFlags
{
    private readonly Option<string?> _name = new("--name") { Description = "The node's name; default the host's.", HelpName = "NAME" };
    private readonly Option<string> _pool = new("--pool") { Description = "The pool that the node belongs to.", DefaultValueFactory = _ => "default" };
    private readonly Option<string> _provider = new("--provider")
    {
        Description = "Who rents it out, as shown in offers and bills.", DefaultValueFactory = _ => "own",
    };

    private readonly Option<string> _model = new("--model")
    {
        Description = "hyperscaler, specialized, edge, decentralized or on_premises.", DefaultValueFactory = _ => "on_premises",
    };

    private readonly Option<string> _region = new("--region") { Description = "Where it stands.", DefaultValueFactory = _ => "local" };
    private readonly Option<string?> _country = new("--country") { Description = "ISO 3166-1 code, for residency.", HelpName = "CC" };
    private readonly Option<string?> _coordinates = new("--coordinates") { Description = "For latency.", HelpName = "LAT,LON" };
    private readonly Option<decimal> _price = new("--price")
    {
        Description = "Of the whole machine, in dollars per hour; 0 is free.", DefaultValueFactory = _ => 0,
    };

    private readonly Option<string[]> _label = new("--label") { Description = "For resources.node_labels. May be repeated.", HelpName = "K=V" };
    private readonly Option<string[]> _cert = new("--cert") { Description = "A certification that it holds. May be repeated.", HelpName = "NAME" };
    private readonly Option<string> _trust = new("--trust") { Description = "community, verified or enterprise.", DefaultValueFactory = _ => "enterprise" };
    private readonly Option<bool> _offline = new("--works-offline") { Description = "It goes on without a network." };
    private readonly Option<string> _interconnect = new("--interconnect")
    {
        Description = "none, ethernet, fast_ethernet, roce or infiniband.", DefaultValueFactory = _ => "ethernet",
    };

    private readonly Option<double> _availability = new("--availability") { Description = "Promised yearly availability in percent; 0 promises nothing." };
    private readonly Option<string?> _instanceType = new("--instance-type")
    {
        Description = "The catalogue's name of the machine, where it is one; its storage and egress prices then hold.", HelpName = "NAME",
    };

    private readonly Option<string?> _simulate = new("--simulate")
    {
        Description = "Declare devices that are not there, such as H100:8. The node is shown as simulated everywhere.", HelpName = "GPU:N",
    };

    private readonly Option<bool> _play = new("--play") { Description = "This machine plays a place where it is not; it is shown as simulated everywhere." };
    private readonly Option<bool> _spot = new("--spot") { Description = "The machine can be taken away at any time: only what allows that runs here." };
    private readonly Option<string?> _work = new("--work")
    {
        Description = "Where tasks have their working directories; default below the data folder, or /var/lib/cairn where the tasks' users cannot reach that.",
        HelpName = "FOLDER",
    };

    private readonly Option<string?> _address = new("--address")
    {
        Description = "Where other nodes of a gang reach this one; default the address by which it reaches the server.", HelpName = "HOST",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _name, _pool, _provider, _model, _region, _country, _coordinates, _price, _label, _cert, _trust, _offline, _interconnect, _availability,
            _instanceType, _simulate, _play, _spot, _work, _address,
        })
        {
            command.Options.Add(option);
        }
    }

    public string? Simulate(CommandContext context) => context.Get(_simulate);

    public string? Work(CommandContext context) => context.Get(_work) is { } folder ? Path.GetFullPath(folder) : null;

    public string? Address(CommandContext context) => context.Get(_address);

    public Declaration Read(CommandContext context)
    {
        var price = context.Get(_price);
        if (price is < 0 or > 1_000_000)
            throw new CliException(ExitCodes.Usage, $"--price is {price}; expected 0 to 1,000,000 dollars per hour.");
        var declaration = new Declaration
        {
            Name = context.Get(_name) ?? Environment.MachineName,
            Pool = context.Get(_pool)!,
            Provider = context.Get(_provider)!,
            DeploymentModel = OneOf<DeploymentModel>("--model", context.Get(_model)!),
            Region = context.Get(_region)!,
            Country = context.Get(_country)?.ToUpperInvariant() ?? "",
            PriceMicrosPerHour = HourlyPrice.FromUsd(price).MicrosPerHour,
            Trust = OneOf<TrustTier>("--trust", context.Get(_trust)!),
            WorksOffline = context.Get(_offline),
            Interconnect = OneOf<InterconnectKind>("--interconnect", context.Get(_interconnect)!),
            AvailabilityPercent = context.Get(_availability),
            Simulated = context.Get(_play) || context.Get(_simulate) is not null,
            InstanceType = context.Get(_instanceType) ?? "",
            Preemptible = context.Get(_spot),
        };
        declaration.Certifications.AddRange((context.Get(_cert) ?? []).Select(name => name.ToLowerInvariant()));
        foreach (var label in context.Get(_label) ?? [])
        {
            var split = label.IndexOf('=', StringComparison.Ordinal);
            if (split < 1)
                throw new CliException(ExitCodes.Usage, $"--label {label}: expected K=V.");
            declaration.Labels[label[..split]] = label[(split + 1)..];
        }

        ReadCoordinates(context, declaration);
        return declaration;
    }

    private void ReadCoordinates(CommandContext context, Declaration declaration)
    {
        if (context.Get(_coordinates) is not { } text)
            return;
        var parts = text.Split(',');
        if (parts.Length != 2 || !double.TryParse(parts[0], CultureInfo.InvariantCulture, out var latitude) || latitude is < -90 or > 90
            || !double.TryParse(parts[1], CultureInfo.InvariantCulture, out var longitude) || longitude is < -180 or > 180)
        {
            throw new CliException(ExitCodes.Usage, $"--coordinates {text}: expected LAT,LON in degrees, such as 50.11,8.68.");
        }

        (declaration.Latitude, declaration.Longitude) = (latitude, longitude);
    }

    private static string OneOf<T>(string option, string text) where T : struct, Enum => EnumWords.Find<T>(text) is not null
        ? text
        : throw new CliException(ExitCodes.Usage, $"{option} {text}: expected {string.Join(", ", EnumWords.All<T>())}.");
}
