using System.Net;
using System.Net.Http.Headers;
using Cairn.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.EndToEnd.Tests.Harness;

/// <summary>A control plane in the test's own process, where the test looks at what it is composed of; everything else runs the real program.</summary>
internal sealed class ServerInProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-server-").FullName;
    private CairnServer? _server;

    public CairnServer Server => _server!;

    public HttpClient Client { get; private set; } = null!;

    public string Key { get; private set; } = "";

    public static async Task<ServerInProcess> StartAsync(string? publicName = null, Func<string, ServerOptions, ServerOptions>? change = null)
    {
        var host = new ServerInProcess();
        change ??= (_, same) => same;
        var options = change(host._folder, new ServerOptions
        {
            DataFolder = host._folder, Http = new IPEndPoint(IPAddress.Loopback, 0), Grpc = new IPEndPoint(IPAddress.Loopback, 0), PublicName = publicName,
        });
        host._server = await CairnServer.StartAsync(options, TimeProvider.System, logging => logging.ClearProviders(), TestContext.Current.CancellationToken);
        host.Key = host._server.AdminKey!;
        host.Client = new HttpClient { BaseAddress = new Uri(host._server.HttpAddress) };
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.Key);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
