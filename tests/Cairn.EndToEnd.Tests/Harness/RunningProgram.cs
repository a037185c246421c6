using System.Diagnostics;
using System.Globalization;

namespace Cairn.EndToEnd.Tests;

/// <summary>A long-running <c>cairn</c> command that a test may end in any way, and what it has said.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan s_longestGoodbye = TimeSpan.FromMinutes(2);

    private readonly List<string> _lines = [];
    private readonly Process _process;

    private RunningProgram(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Log
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    public static RunningProgram Start(CairnProgram cli, IReadOnlyList<string> arguments)
    {
        var process = cli.Start([.. arguments]);
        process.StandardInput.Close();
        var program = new RunningProgram(process);
        process.OutputDataReceived += (_, line) => program.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => program.Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return program;
    }

    public void RequireAlive()
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"cairn ended with {_process.ExitCode}:\n{Log}");
    }

    /// <summary>As a power cut or the kernel would: no warning, no goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
    }

    /// <summary>As Ctrl-C and a service's stop do.</summary>
    public async Task<int> TerminateAsync(string signal = "-TERM")
    {
        using (var kill = Process.Start("/bin/kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(s_longestGoodbye);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
                await TerminateAsync();
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
            lock (_lines)
                _lines.Add(line);
    }
}
