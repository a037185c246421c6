using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A node daemon of its own, <c>cairn node join</c>, that a test may kill and start again.</summary>
internal sealed class CairnNode : IAsyncDisposable
{
    private readonly CairnUp _server;
    private readonly string[] _flags;
    private RunningProgram? _program;

    private CairnNode(CairnUp server, string name, string[] flags)
    {
        (_server, Name, _flags) = (server, name, flags);
        Folder = Path.Combine(server.Folder, "nodes", name);
    }

    public string Name { get; }

    public string Folder { get; }

    public string Log => _program?.Log ?? "";

    public static async Task<CairnNode> JoinAsync(CairnUp server, string name, params string[] flags)
    {
        var token = (await server.Cli.RunAsync("node", "token", "--json")).Succeeded().Json.GetProperty("token").GetString()!;
        var node = new CairnNode(server, name, flags);
        try
        {
            node.Start(token);
            await node.UntilHealthyAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>With what the folder holds: a node that has joined needs no token.</summary>
    public void StartAgain() => Start(token: null);

    public async Task UntilHealthyAsync() => await Eventually.TrueAsync(
        async () =>
        {
            _program!.RequireAlive();
            return await ViewAsync() is { } view && view.GetProperty("connected").GetBoolean()
                && view.GetProperty("health").GetString() == "healthy";
        },
        $"node {Name} is connected and healthy");

    public async Task<JsonElement?> ViewAsync()
    {
        foreach (var view in await _server.NodesAsync())
        {
            if (view.GetProperty("name").GetString() == Name)
                return view;
        }

        return null;
    }

    /// <summary>The daemon alone: what it runs goes on.</summary>
    public async Task KillAsync()
    {
        await _program!.KillAsync();
        await _program.DisposeAsync();
        _program = null;
    }

    /// <summary>The whole machine: the daemon and all that it runs.</summary>
    public async Task LoseMachineAsync()
    {
        await KillAsync();
        NodeLeftovers.KillTasks(Folder);
    }

    /// <summary>What the tasks see, wherever the daemon put their folders.</summary>
    public bool HasTasks() => NodeLeftovers.HasTasks(Folder);

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
            await _program.DisposeAsync();
        NodeLeftovers.KillTasks(Folder);
        NodeLeftovers.DeleteWork(Folder);
    }

    private void Start(string? token)
    {
        string[] join = token is null ? ["node", "join"] : ["node", "join", token];
        _program = RunningProgram.Start(_server.Cli, [.. join, "--data", Folder, "--name", Name, .. _flags]);
    }
}
