using System.CommandLine;
using System.Net;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Cli.Up;
using Cairn.Server.Gateways;
using Cairn.Serving.Alone;

namespace Cairn.Cli.Gateways;

internal sealed class GatewayCommand : CairnCommand
{
    private readonly Option<string?> _key = new("--key")
    {
        Description = "A key of the role gateway; else --key-file, else $CAIRN_KEY. Others on the machine see command lines.", HelpName = "KEY",
    };

    private readonly Option<string?> _keyFile = new("--key-file") { Description = "A file that has the key and nothing else.", HelpName = "FILE" };
    private readonly Option<string> _http = new("--http")
    {
        Description = "Where clients call; port 0 takes a free one.", DefaultValueFactory = _ => "127.0.0.1:7080", HelpName = "ADDRESS:PORT",
    };

    private readonly Option<string> _data = new("--data")
    {
        Description = "The folder of its id, the last snapshot (with the providers' credentials; mode 0600) and usage not yet delivered. One per gateway.",
        DefaultValueFactory = _ => Path.Combine(ServerContext.Home, "gateway"), HelpName = "FOLDER",
    };

    private readonly Option<string> _name = new("--name")
    {
        Description = "What `cairn gateways` calls it.", DefaultValueFactory = _ => Dns.GetHostName(), HelpName = "NAME",
    };

    private readonly Option<string?> _certificate = new("--tls-certificate") { Description = "PEM certificate; needed beyond loopback.", HelpName = "FILE" };
    private readonly Option<string?> _tlsKey = new("--tls-key") { Description = "PEM private key of the certificate.", HelpName = "FILE" };
    private readonly Option<string?> _trusted = new("--certificate")
    {
        Description = "PEM file: trust this certificate, or this authority, for the server too.", HelpName = "FILE",
    };

    private readonly Option<bool> _direct = new("--direct-replicas")
    {
        Description = "Dial replicas at their nodes' addresses, so that they are reached while the server is gone: for trusted networks.",
    };

    public GatewayCommand() : base("gateway", "Run a gateway alone, beside its clients: it follows a server and goes on serving while that is gone.",
        "cairn keys create edge-1 --role gateway --json\nCAIRN_KEY=ck_… cairn gateway --server https://cairn.example.org --http 127.0.0.1:7080 --direct-replicas")
    {
        foreach (var option in new Option[] { _key, _keyFile, _http, _data, _name, _certificate, _tlsKey, _trusted, _direct })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var server = ServerOf(context);
        var options = new AloneOptions
        {
            Server = new Uri(server.Server), ToServer = handler => ServerTrust.Apply(server, handler), Key = KeyOf(context), Name = context.Get(_name)!, DataFolder = Path.GetFullPath(context.Get(_data)!),
            DirectReplicas = context.Get(_direct),
        };
        var listening = new GatewayListening
        {
            Http = Addresses.EndPoint("--http", context.Get(_http)!), TlsCertificate = context.Get(_certificate), TlsKey = context.Get(_tlsKey),
        };
        if (options.Validate().Concat(listening.Validate()).ToList() is { Count: > 0 } errors)
            throw new CliException(ExitCodes.Usage, "The gateway cannot start so:", errors);
        await using var gateway = await StartAsync(context, options, listening, cancellationToken);
        context.Output.Note($"Cairn's gateway is ready at {gateway.Address}; it follows {options.Server}"
            + (gateway.KnowsModels ? ", and serves what it knew of it at once." : "."));
        if (await gateway.UntilStoppedAsync(cancellationToken))
            return ExitCodes.Success;
        return gateway.Refusal is { } refusal
            ? throw new CliException(ExitCodes.NotAllowed, $"The server refuses this gateway, which has forgotten what it knew: {refusal} `cairn keys create NAME --role gateway` makes a key.")
            : ExitCodes.Failure;
    }

    private static async Task<CairnGateway> StartAsync(CommandContext context, AloneOptions options, GatewayListening listening, CancellationToken cancellationToken)
    {
        try
        {
            return await CairnGateway.StartAsync(options, listening, TimeProvider.System, logging => HostLogging.Configure(logging, context.Output), cancellationToken);
        }
        catch (IOException taken)
        {
            throw new CliException(ExitCodes.Refused, taken.Message);
        }
    }

    private ServerContext ServerOf(CommandContext context)
    {
        if (context.Get(_trusted) is not { } file)
            return context.Server;
        ServerTrust.Check(file);
        return context.Server with { Certificate = Path.GetFullPath(file) };
    }

    private string KeyOf(CommandContext context)
    {
        if (context.Get(_key) is { } key)
            return key;
        if (context.Get(_keyFile) is not { } file)
            return Environment.GetEnvironmentVariable("CAIRN_KEY")
                ?? throw new CliException(ExitCodes.NotAllowed, "A gateway needs a key of its own: `cairn keys create NAME --role gateway` makes one; give it as $CAIRN_KEY or with --key-file.");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"--key-file {file} cannot be read: {failed.Message}");
        }
    }
}
