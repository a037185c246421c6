using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A running <c>cairn gateway</c> beside a server, in a folder of its own, that a test may kill and start again.</summary>
internal sealed class CairnGatewayAlone : IAsyncDisposable
{
    private readonly CairnUp _server;
    private readonly string[] _arguments;
    private RunningProgram? _program;

    private CairnGatewayAlone(CairnUp server, string name, string key, string[] flags)
    {
        _server = server;
        Folder = Path.Combine(server.Folder, "gateways", name);
        var port = CairnProgram.FreePort();
        Address = $"http://127.0.0.1:{port}";
        _arguments = ["gateway", "--server", server.Address, "--http", $"127.0.0.1:{port}", "--data", Folder, "--name", name, "--key", key, .. flags];
    }

    public string Address { get; }

    public string Folder { get; }

    public RunningProgram Program => _program ?? throw new InvalidOperationException("It was killed.");

    public static async Task<CairnGatewayAlone> StartAsync(CairnUp server, string name, params string[] flags)
    {
        var made = (await server.Cli.RunAsync("keys", "create", name, "--role", "gateway", "--json")).Succeeded().Json;
        var gateway = new CairnGatewayAlone(server, name, made.GetProperty("key").GetString()!, flags);
        try
        {
            await gateway.StartAgainAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Until it serves, be it from what it knew.</summary>
    public async Task StartAgainAsync()
    {
        _program = RunningProgram.Start(_server.Cli, _arguments);
        await Eventually.TrueAsync(async () =>
        {
            _program.RequireAlive();
            return (await HealthAsync()).StartsWith("ok", StringComparison.Ordinal);
        }, "the gateway serves");
    }

    /// <summary>What <c>/healthz</c> says; nothing where nobody answers.</summary>
    public async Task<string> HealthAsync()
    {
        try
        {
            using var http = new HttpClient();
            using var response = await http.GetAsync(Address + "/healthz", TestContext.Current.CancellationToken);
            return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    public Task UntilAsync(string health) => Eventually.TrueAsync(async () => await HealthAsync() == health, $"the gateway says '{health}'");

    /// <summary>Until its journal says that it holds something of so many budgets and projects' credits: then it asks nobody who may be slow.</summary>
    public Task UntilBorrowedAsync(int purses) => Eventually.TrueAsync(async () => (await JournalAsync("replied")).SelectMany(reply => reply.List("slices"))
        .Where(slice => slice.Decimal("lent") > 0).Select(slice => slice.Text("key")).Distinct().Count() >= purses, $"the gateway has money of {purses} purses");

    /// <summary>All requests that it ever wrote down, whether the server has them or not.</summary>
    public async Task<long> RequestsWrittenAsync() =>
        (await JournalAsync("used")).Sum(used => used.List("lines").Sum(line => line.GetProperty("requests").GetInt64()));

    private async Task<List<JsonElement>> JournalAsync(string kind)
    {
        // The gateway holds the file; who looks must not ask for a lock.
        using var reader = new StreamReader(new FileStream(Path.Combine(Folder, "usage.journal"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        // What follows the last line's end is just being written.
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.TryGetProperty(kind, out var entry) && entry.ValueKind == JsonValueKind.Object).Select(line => line.GetProperty(kind))];
    }

    /// <summary>As a power cut would.</summary>
    public async Task KillAsync()
    {
        await Program.KillAsync();
        await Program.DisposeAsync();
        _program = null;
    }

    public async Task<int> StopAsync()
    {
        var code = await Program.TerminateAsync();
        await Program.DisposeAsync();
        _program = null;
        return code;
    }

    public HttpClient NewClient(string key)
    {
        var client = new HttpClient { BaseAddress = new Uri(Address) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public static Task<HttpResponseMessage> AskAsync(HttpClient client, string model, int tokens = 1) => client.PostAsJsonAsync("/v1/chat/completions",
        new { model, max_tokens = tokens, messages = new[] { new { role = "user", content = "Hi" } } }, TestContext.Current.CancellationToken);

    public static async Task<int> StatusAsync(HttpClient client, string model)
    {
        using var response = await AskAsync(client, model);
        return (int)response.StatusCode;
    }

    /// <summary>Asks until the gateway knows whether there is money: it says 503 where a busy server has not told it in time.</summary>
    public static async Task<int> DecidedAsync(HttpClient client, string model)
    {
        var status = 0;
        await Eventually.TrueAsync(async () => (status = await StatusAsync(client, model)) != 503, "the gateway knows whether there is money");
        return status;
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
            await _program.DisposeAsync();
    }
}
