using System.Text.Json;
using Cairn.Contracts.Wire;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tests.Harness;

/// <summary>What a daemon in a process of its own is started with.</summary>
internal sealed record DaemonSettings(string DataFolder, string? Token, string? Server, string TaskUser, bool UseCgroups);

internal static class DaemonHost
{
    public static async Task<int> RunAsync(string file)
    {
        var settings = JsonSerializer.Deserialize<DaemonSettings>(await File.ReadAllTextAsync(file))!;
        using var loggers = LoggerFactory.Create(builder => builder.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Information));
        var daemon = new NodeDaemon(new NodeOptions
        {
            DataFolder = settings.DataFolder,
            JoinToken = settings.Token,
            Server = settings.Server,
            TaskUser = settings.TaskUser,
            UseCgroups = settings.UseCgroups,
            Declaration = new Declaration { Name = "hosted" },
        }, loggers);
        try
        {
            await daemon.RunAsync(CancellationToken.None);
            return 0;
        }
        catch (NodeRefusedException e)
        {
            await Console.Error.WriteLineAsync($"{e.Code}: {e.Message}");
            return 3;
        }
    }
}
