using System.CommandLine;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Connection;

internal sealed class ContextCommand : CairnCommand
{
    public ContextCommand() : base("context", "Show which server the commands talk to, or set it.", "cairn context set https://cairn.example.org --key-from-stdin < key") =>
        Subcommands.Add(new SetContextCommand());

    protected override Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var server = ServerContext.TryResolve(null);
        context.Output.Write(
            new { server?.Server, HasKey = server?.Key is not null, File = ServerContext.FilePath(ServerContext.Home) },
            view => context.Output.Line(view.Server is null ? "No server is set." : $"{view.Server} ({(view.HasKey ? "with" : "without")} a key, from {view.File})"));
        return Task.FromResult(ExitCodes.Success);
    }
}

internal sealed class SetContextCommand : CairnCommand
{
    private readonly Argument<string> _server = new("URL") { Description = "The server, such as http://127.0.0.1:7070." };
    private readonly Option<string?> _certificate = new("--certificate")
    {
        Description = "PEM file: trust this certificate, or this authority, for the server too.", HelpName = "FILE",
    };

    private readonly Option<bool> _stdin = new("--key-from-stdin") { Description = "Read the key from stdin, which keeps it out of the shell's history." };

    public SetContextCommand() : base("set", "Remember a server and its key in the context file, mode 0600.", "cairn context set http://127.0.0.1:7070 --key-from-stdin < key")
    {
        Arguments.Add(_server);
        Options.Add(_stdin);
        Options.Add(_certificate);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var key = context.Get(_stdin) ? (await Console.In.ReadToEndAsync(cancellationToken)).Trim() : null;
        var server = ServerContext.TryResolve(context.Get(_server)!)!;
        server = server with { Key = key is { Length: > 0 } ? key : null };
        if (context.Get(_certificate) is { } file)
        {
            ServerTrust.Check(file);
            server = server with { Certificate = Path.GetFullPath(file) };
        }

        server.Save(ServerContext.Home);
        context.Output.Note($"Remembered in {ServerContext.FilePath(ServerContext.Home)}.");
        return ExitCodes.Success;
    }
}
