using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Tunnels;
using Cairn.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Bench.Tunnel;

/// <summary>A server in this process, a node daemon in one of its own, and a service that it runs as a task.</summary>
internal sealed class TunnelWorld : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-bench-tunnel-").FullName;
    private CairnServer? _server;
    private Process? _node;
    private JobId _job;

    public int Port { get; } = FreePort();

    public int TlsPort { get; } = FreePort();

    public TaskId Task { get; private set; }

    public NodeTunnels Tunnels => _server!.Services.GetRequiredService<NodeTunnels>();

    private HttpClient Api => new()
    {
        BaseAddress = new Uri(_server!.HttpAddress + "/api/v1/"),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", _server.AdminKey) },
    };

    public static async Task<TunnelWorld> StartAsync()
    {
        var world = new TunnelWorld();
        world._server = await CairnServer.StartAsync(
            new ServerOptions
            {
                DataFolder = Path.Combine(world._folder, "server"),
                Http = new(IPAddress.Loopback, 0),
                Grpc = new(IPAddress.Loopback, FreePort()),
            },
            TimeProvider.System, logging => logging.ClearProviders(), CancellationToken.None);
        try
        {
            await world.JoinAsync();
            await world.ServeAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>The daemon's process. Arguments: its data folder, the join token.</summary>
    public static async Task<bool> RunNodeAsync(string[] args)
    {
        var options = new Node.NodeOptions
        {
            DataFolder = args[0], JoinToken = args[1], TaskUser = "self", UseCgroups = false, Benchmark = false, DiskReserveBytes = 0,
            Declaration = new Declaration { Name = "bench", Region = "here" },
        };
        await new Node.NodeDaemon(options, NullLoggerFactory.Instance).RunAsync(CancellationToken.None);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (Task != default)
        {
            using var api = Api;
            (await api.PostAsync("endpoints/replica/stop", null)).Dispose();
            var jobs = _server!.Services.GetRequiredService<FleetJobs>();
            await UntilAsync(() => !jobs.IsLive(_job), "the service to end");
        }
        if (_node is not null)
        {
            _node.Kill();
            await _node.WaitForExitAsync();
        }
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task JoinAsync()
    {
        using var api = Api;
        var request = new CreateJoinTokenRequest { ValidSeconds = 600, MaxUses = 1 };
        using var reply = await api.PostAsJsonAsync("join-tokens", request, ApiJson.Compact);
        var token = (await reply.Content.ReadFromJsonAsync<JoinTokenView>(ApiJson.Compact))!.Token!;
        _node = Process.Start(Environment.ProcessPath!, ["tunnel-node", Path.Combine(_folder, "node"), token]);
    }

    private async Task ServeAsync()
    {
        var run = string.Create(CultureInfo.InvariantCulture, $"exec {Environment.ProcessPath} tunnel-replica {Port} {TlsPort}");
        var workload = string.Create(CultureInfo.InvariantCulture,
            $"name: replica\nrun: {run}\nresources: {{cpus: 1}}\nservice: {{port: {Port}, readiness: /small}}\n");
        using var api = Api;
        var nodes = _server!.Services.GetRequiredService<FleetNodes>();
        await UntilAsync(() => nodes.Count > 0 && nodes.All.All(node => node.Session is { IsWelcome: true }), "the node to join");
        var request = new ServeRequest { Workload = workload, Model = "" };
        using var reply = await api.PostAsJsonAsync("endpoints", request, ApiJson.Compact);
        if (!reply.IsSuccessStatusCode)
            throw new InvalidOperationException(await reply.Content.ReadAsStringAsync());
        EndpointView? endpoint = null;
        for (var began = TimeProvider.System.GetTimestamp(); endpoint is not { Phase: "ready" };)
        {
            await System.Threading.Tasks.Task.Delay(50);
            if (TimeProvider.System.GetElapsedTime(began) > s_patience)
                throw new TimeoutException($"the endpoint is {endpoint?.Phase} still: {endpoint?.Message}");
            endpoint = await api.GetFromJsonAsync<EndpointView>("endpoints/replica", ApiJson.Compact);
        }
        _job = TypedId.Parse<JobId>(endpoint.Replicas![0].Job);
        Task = _server!.Services.GetRequiredService<FleetJobs>().TaskOf(_job)!.Task;
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !condition(); await System.Threading.Tasks.Task.Delay(20))
        {
            if (TimeProvider.System.GetElapsedTime(began) > s_patience)
                throw new TimeoutException($"waited {s_patience.TotalSeconds:0} s for {what}");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
