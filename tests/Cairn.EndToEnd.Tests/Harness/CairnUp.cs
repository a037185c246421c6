using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A running <c>cairn up</c>, or <c>cairn server</c>, in a folder of its own, that a test may kill and start again.</summary>
internal sealed class CairnUp : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string _data;
    private readonly string[] _arguments;
    private RunningProgram? _program;

    private CairnUp(string command, string[] flags, string? data = null)
    {
        _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;
        HttpPort = CairnProgram.FreePort();
        GrpcPort = CairnProgram.FreePort();
        Cli = new CairnProgram(Path.Combine(_folder, "home"));
        _data = data ?? Path.Combine(_folder, "data");
        _arguments = [command, "--data", _data, "--http", $"127.0.0.1:{HttpPort}", "--grpc",
            $"127.0.0.1:{GrpcPort}", .. flags];
    }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    public CairnProgram Cli { get; }

    public string Folder => _folder;

    public string Address => $"http://127.0.0.1:{HttpPort}";

    public string NodeFolder => Path.Combine(_folder, "data", "node");

    public RunningProgram Program => _program ?? throw new InvalidOperationException("It was killed.");

    public string Log => _program?.Log ?? "";

    public static async Task<CairnUp> StartAsync(params string[] flags) => await StartAsync("up", flags);

    public static async Task<CairnUp> StartServerAsync(params string[] flags) => await StartAsync("server", flags);

    /// <summary>A server beside another: on the same database, with the same data folder and the same keys.</summary>
    public static async Task<CairnUp> StartBesideAsync(CairnUp other, params string[] flags)
    {
        var up = new CairnUp("server", flags, other._data);
        Directory.CreateDirectory(up.Cli.Home);
        File.Copy(Path.Combine(other.Cli.Home, "context.json"), Path.Combine(up.Cli.Home, "context.json"));
        return await BegunAsync(up);
    }

    public async Task StartAgainAsync()
    {
        _program = RunningProgram.Start(Cli, _arguments);
        await Eventually.TrueAsync(AnswersAsync, "the server answers");
        if (_arguments[0] == "up")
        {
            await Eventually.TrueAsync(
                async () => (await NodesAsync()).Exists(n => n.GetProperty("connected").GetBoolean()
                    && n.GetProperty("health").GetString() == "healthy"),
                "the node is healthy");
        }
    }

    /// <summary>As a power cut or the kernel would: no warning, no goodbye.</summary>
    public async Task KillAsync()
    {
        await Program.KillAsync();
        await Program.DisposeAsync();
        _program = null;
    }

    /// <summary>By a signal that asks; gives the exit code.</summary>
    public async Task<int> StopAsync(string signal = "-TERM")
    {
        var code = await Program.TerminateAsync(signal);
        await Program.DisposeAsync();
        _program = null;
        return code;
    }

    public HttpClient NewClient(string? key = null)
    {
        var client = new HttpClient { BaseAddress = new Uri(Address + "/api/v1/") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key ?? AdminKey());
        return client;
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var client = NewClient();
        return await client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);
    }

    public async Task GrantAsync(decimal usd, string project = "default") =>
        (await Cli.RunAsync("projects", "grant", project, usd.ToString(CultureInfo.InvariantCulture))).Succeeded();

    /// <summary>What one CPU of a machine costs: a workload that asks for nothing is sold one, at its share of the machine's
    /// price.</summary>
    public async Task<decimal> CpuPriceAsync(decimal machineUsdPerHour) =>
        Math.Floor(machineUsdPerHour * 1_000_000m / (await NodesAsync())[0].Decimal("cpus_total")) / 1_000_000m;

    public async Task RequireSoundLedgerAsync()
    {
        var audit = await GetAsync("ledger/audit");
        Assert.True(audit.GetProperty("ok").GetBoolean(), audit.ToString());
    }

    public async Task<List<JsonElement>> NodesAsync() => [.. (await GetAsync("nodes")).GetProperty("items").EnumerateArray()];

    public Task<JsonElement> JobAsync(string name) => GetAsync("jobs/" + name);

    /// <summary>Everything that the job's tasks wrote, as plain text.</summary>
    public async Task<string> LogTextAsync(string job, string query = "")
    {
        using var client = NewClient();
        return await client.GetStringAsync($"jobs/{job}/logs{query}", TestContext.Current.CancellationToken);
    }

    public async Task<JsonElement> UntilPhaseAsync(string job, params string[] phases)
    {
        JsonElement seen = default;
        await Eventually.TrueAsync(
            async () =>
            {
                seen = await JobAsync(job);
                var phase = seen.GetProperty("phase").GetString();
                if (!phases.Contains(phase) && phase is ("succeeded" or "failed" or "stopped"))
                    Assert.Fail($"{job} is {phase}, not {string.Join(" or ", phases)}: {seen}\n{await LogTextAsync(job)}");
                return phases.Contains(phase);
            },
            $"{job} is {string.Join(" or ", phases)}");
        return seen;
    }

    public string AdminKey() =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Cli.Home, "context.json"))).RootElement.GetProperty("key").GetString()!;

    /// <summary>Writes a workload file and gives its path.</summary>
    public string WriteFile(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
            await _program.DisposeAsync();
        NodeLeftovers.KillTasks(NodeFolder);
        NodeLeftovers.DeleteWork(NodeFolder);
        NodeLeftovers.Delete(_folder);
    }

    private static Task<CairnUp> StartAsync(string command, string[] flags) => BegunAsync(new CairnUp(command, flags));

    private static async Task<CairnUp> BegunAsync(CairnUp up)
    {
        try
        {
            await up.StartAgainAsync();
            return up;
        }
        catch
        {
            await up.DisposeAsync();
            throw;
        }
    }

    private async Task<bool> AnswersAsync()
    {
        Program.RequireAlive();
        if (!File.Exists(Path.Combine(Cli.Home, "context.json")))
            return false;
        try
        {
            using var client = NewClient();
            using var response = await client.GetAsync("whoami", TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
