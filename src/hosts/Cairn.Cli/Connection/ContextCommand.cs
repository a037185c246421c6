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
    private readonly Option<bool> _stdin = new("--key-from-stdin") { Description = "Read the key from stdin, which keeps it out of the shell's history." };

    public SetContextCommand() : base("set", "Remember a server and its key in the context file, mode 0600.", "cairn context set http://127.0.0.1:7070 --key-from-stdin < key")
    {
        Arguments.Add(_server);
        Options.Add(_stdin);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var key = context.Get(_stdin) ? (await Console.In.ReadToEndAsync(cancellationToken)).Trim() : null;
        var server = ServerContext.TryResolve(context.Get(_server)!)!;
        new ServerContext(server.Server, key is { Length: > 0 } ? key : null).Save(ServerContext.Home);
        context.Output.Note($"Remembered in {ServerContext.FilePath(ServerContext.Home)}.");
        return ExitCodes.Success;
    }
}
