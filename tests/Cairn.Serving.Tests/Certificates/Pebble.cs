using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cairn.State.Tests;

namespace Cairn.Serving.Tests.Certificates;

/// <summary>
/// Pebble, the test authority of Let's Encrypt, with a name server beside it that leads every name to loopback. `eng/install-engines.sh` installs both; where they are not
/// there a test skips, except in continuous integration, where it fails.
/// </summary>
internal sealed class Pebble : IAsyncDisposable
{
    public const string MacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-pebble-").FullName;
    private readonly TestAuthority _transport = new();
    private readonly int _port = FreePorts.Next();
    private readonly int _management = FreePorts.Next();
    private readonly List<Process> _processes = [];

    public Uri Address => new($"https://127.0.0.1:{_port}/dir");

    /// <summary>The root that the authority's own address is trusted by.</summary>
    public string TransportRoot => Path.Combine(_folder, "root.pem");

    /// <param name="challengePort">Where it asks instead of at port 80.</param>
    /// <param name="rejectedNonces">Percent of good nonces that it refuses all the same.</param>
    /// <param name="bindsAccounts">Whether an account must exist outside.</param>
    public static async Task<Pebble> StartAsync(int challengePort, int rejectedNonces = 20, bool bindsAccounts = false)
    {
        if (Which("pebble") is not { } program || Which("pebble-challtestsrv") is not { } names)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail("pebble is not installed; eng/install-engines.sh installs it.");
            Assert.Skip("pebble is not installed; eng/install-engines.sh installs it.");
            throw new UnreachableException();
        }
        var pebble = new Pebble();
        await pebble.BeginAsync(program, names, challengePort, rejectedNonces, bindsAccounts);
        return pebble;
    }

    /// <summary>The root of what it issues.</summary>
    public async Task<X509Certificate2> RootAsync()
    {
        using var client = Client();
        return X509Certificate2.CreateFromPem(await client.GetStringAsync($"https://127.0.0.1:{_management}/roots/0", TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
        _transport.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync(string program, string names, int challengePort, int rejectedNonces, bool bindsAccounts)
    {
        var (chain, key) = _transport.Issue("127.0.0.1", "localhost");
        await File.WriteAllTextAsync(TransportRoot, _transport.RootPem);
        await File.WriteAllTextAsync(Path.Combine(_folder, "chain.pem"), chain);
        await File.WriteAllTextAsync(Path.Combine(_folder, "key.pem"), key);
        var config = new
        {
            pebble = new
            {
                listenAddress = $"127.0.0.1:{_port}", managementListenAddress = $"127.0.0.1:{_management}", certificate = Path.Combine(_folder, "chain.pem"),
                privateKey = Path.Combine(_folder, "key.pem"), httpPort = challengePort, tlsPort = 1, ocspResponderURL = "", externalAccountBindingRequired = bindsAccounts,
                externalAccountMACKeys = new Dictionary<string, string> { ["kid-1"] = MacKey },
            },
        };
        var configFile = Path.Combine(_folder, "config.json");
        await File.WriteAllTextAsync(configFile, JsonSerializer.Serialize(config));
        var dns = FreePorts.Next();
        Run(names, [], "-dns01", $"127.0.0.1:{dns}", "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", $"127.0.0.1:{FreePorts.Next()}", "-defaultIPv6", "");
        Run(program, [("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", $"{rejectedNonces}")], "-config", configFile, "-dnsserver", $"127.0.0.1:{dns}", "-strict");
        using var client = Client();
        for (var tries = 0; ; tries++)
        {
            try
            {
                await client.GetStringAsync(Address, TestContext.Current.CancellationToken);
                return;
            }
            catch (HttpRequestException) when (tries < 4_800)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    private void Run(string program, (string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private HttpClient Client()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_transport.Root);
        return new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = policy } });
    }

    private static string? Which(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
