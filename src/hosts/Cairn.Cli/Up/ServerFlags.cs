using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Server.Hosting;

namespace Cairn.Cli.Up;

/// <summary>How a control plane is started: the same flags for <c>up</c> and <c>server</c>.</summary>
internal sealed class ServerFlags
{
    private readonly Option<string> _data = new("--data") { Description = "The folder of rows, logs, blobs and keys.", DefaultValueFactory = _ => ServerContext.Home, HelpName = "FOLDER" };
    private readonly Option<string> _http = new("--http") { Description = "Where the REST API listens; port 0 takes a free one.", DefaultValueFactory = _ => "127.0.0.1:7070", HelpName = "ADDRESS:PORT" };
    private readonly Option<string> _grpc = new("--grpc") { Description = "Where nodes dial in, over TLS; port 0 takes a free one.", DefaultValueFactory = _ => "127.0.0.1:7071", HelpName = "ADDRESS:PORT" };
    private readonly Option<string?> _database = new("--database") { Description = "postgres://… keeps rows there, so that several servers can share them; default SQLite in the data folder.", HelpName = "URL" };
    private readonly Option<string?> _publicName = new("--public-name") { Description = "The host name or address that join tokens carry.", HelpName = "HOST" };
    private readonly CertificateFlags _certificates = new();
    private readonly BatchFlags _batches = new();
    private readonly Option<decimal> _fee = new("--fee") { Description = "The market's share, in percent of compute." };

    private readonly Option<bool> _direct = new("--direct-replicas") { Description = "Dial replicas at their nodes' addresses, not through the nodes' tunnels: faster, for trusted networks." };

    // How silence is judged is for those who know their network; the defaults suit the others, so help does not show these.
    private readonly Option<int> _heartbeat = Seconds("--heartbeat", 10);
    private readonly Option<int> _unhealthyAfter = Seconds("--unhealthy-after", 30);
    private readonly Option<int> _lostAfter = Seconds("--lost-after", 60);

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _data, _http, _grpc, _database, _publicName, _fee, _direct, _heartbeat, _unhealthyAfter, _lostAfter })
            command.Options.Add(option);
        _certificates.AddTo(command);
        _batches.AddTo(command);
    }

    /// <exception cref="CliException">Something is wrong; it names every mistake.</exception>
    public ServerOptions Read(CommandContext context)
    {
        var folder = Path.GetFullPath(context.Get(_data)!);
        var errors = new List<string>();
        var options = new ServerOptions
        {
            DataFolder = folder,
            Http = Addresses.EndPoint("--http", context.Get(_http)!),
            Grpc = Addresses.EndPoint("--grpc", context.Get(_grpc)!),
            Database = context.Get(_database),
            PublicName = context.Get(_publicName),
            Tls = _certificates.Read(context, folder, context.Get(_publicName)),
            AcmeHttp = context.Get(_certificates.AcmeHttp) is { } address ? Addresses.EndPoint("--acme-http", address) : null,
            FeePercent = context.Get(_fee),
            DirectReplicas = context.Get(_direct),
            HeartbeatSeconds = context.Get(_heartbeat),
            UnhealthyAfterSeconds = context.Get(_unhealthyAfter),
            LostAfterSeconds = context.Get(_lostAfter),
            Batches = _batches.Batches(context, errors),
            Files = _batches.Files(context, errors),
        };
        errors.AddRange(options.Validate());
        return errors.Count > 0 ? throw new CliException(ExitCodes.Usage, "The server cannot start so:", errors) : options;
    }

    private static Option<int> Seconds(string name, int standard) => new(name) { DefaultValueFactory = _ => standard, Hidden = true, HelpName = "SECONDS" };
}
