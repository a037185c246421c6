using System.CommandLine;
using Cairn.Cli.Connection;

namespace Cairn.Cli.CommandLine;

/// <summary>What a command works with: the parsed line, the output and the connection to the server.</summary>
internal sealed class CommandContext(ParseResult line) : IDisposable
{
    private ApiClient? _api;

    public Output Output { get; } = new(
        line.GetValue(GlobalOptions.Json),
        line.GetValue(GlobalOptions.NoColor) || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 });

    public ApiClient Api => _api ??= new ApiClient(ServerContext.Resolve(line.GetValue(GlobalOptions.Server)));

    /// <summary>The server that is named or remembered.</summary>
    public ServerContext Server => ServerContext.Resolve(line.GetValue(GlobalOptions.Server));

    /// <summary>True where a server is named or remembered; the commands that can do without one then ask it.</summary>
    public bool HasServer => ServerContext.TryResolve(line.GetValue(GlobalOptions.Server)) is not null;

    public string? Project => line.GetValue(GlobalOptions.Project) ?? Environment.GetEnvironmentVariable("CAIRN_PROJECT");

    public T? Get<T>(Option<T> option) => line.GetValue(option);

    public T? Get<T>(Argument<T> argument) => line.GetValue(argument);

    public void Dispose() => _api?.Dispose();
}
