using System.Diagnostics;
using System.Text.Json;
using Cairn.Bench.Servers;

namespace Cairn.Bench.Engine;

/// <summary>The published <c>cairn engine</c> as its own process, on a free port of loopback.</summary>
internal sealed class EngineProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private EngineProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = null!;

    /// <summary>Before the process was started, in the stopwatch's ticks.</summary>
    public long Began { get; private init; }

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts it and waits until it says that its models are loaded.</summary>
    public static async Task<EngineProcess> StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(CairnProgram.Path, ["engine", .. arguments, "--port", "0", "--grpc-port", "-1", "--json"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["CAIRN_LOG"] = "Warning";
        var began = Stopwatch.GetTimestamp();
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var engine = new EngineProcess(process) { Began = began };
        try
        {
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(s_patience)
                ?? throw new InvalidOperationException($"'cairn engine' ended: {await errors}");
            using var ready = JsonDocument.Parse(line);
            engine.Address = new Uri(ready.RootElement.GetProperty("http").GetString()!);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
