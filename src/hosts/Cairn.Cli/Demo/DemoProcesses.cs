using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Demo;

/// <summary>The demo's control plane and daemons: real processes of this program, each with a folder and a log file of its own.</summary>
internal sealed class DemoProcesses(string folder) : IAsyncDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(15);
    private readonly List<Process> _running = [];

    public string Home => Path.Combine(folder, "home");

    /// <summary>Two ports that were free a moment ago.</summary>
    public static (int Http, int Grpc) FreePorts()
    {
        using var http = new TcpListener(IPAddress.Loopback, 0);
        using var grpc = new TcpListener(IPAddress.Loopback, 0);
        http.Start();
        grpc.Start();
        return (((IPEndPoint)http.LocalEndpoint).Port, ((IPEndPoint)grpc.LocalEndpoint).Port);
    }

    public void Start(string name, IEnumerable<string> arguments)
    {
        Directory.CreateDirectory(Home);
        var start = new ProcessStartInfo(Environment.ProcessPath ?? throw new CliException(ExitCodes.Failure, "The path of this program is unknown."))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["CAIRN_HOME"] = Home;
        start.Environment.Remove("CAIRN_SERVER");
        start.Environment.Remove("CAIRN_KEY");
        var process = Process.Start(start) ?? throw new CliException(ExitCodes.Failure, $"{name} could not be started.");
        process.StandardInput.Close();
        var log = TextWriter.Synchronized(new StreamWriter(LogPath(name)) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => Append(log, line.Data);
        process.ErrorDataReceived += (_, line) => Append(log, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _running.Add(process);
    }

    public string LogPath(string name) => Path.Combine(folder, name + ".log");

    /// <exception cref="CliException">One of them ended, which none should.</exception>
    public void ThrowIfOneEnded()
    {
        if (_running.Find(process => process.HasExited) is { } ended)
            throw new CliException(ExitCodes.Failure, $"A process of the demo ended with code {ended.ExitCode}; its words are in {folder}/*.log.");
    }

    /// <summary>Lets them go on without this process.</summary>
    public void Keep() => _running.Clear();

    public async ValueTask DisposeAsync()
    {
        // Daemons first: a daemon that is told to go leaves its tasks running, and by now there are none.
        foreach (var process in Enumerable.Reverse(_running))
            Signal(process);
        using var limit = new CancellationTokenSource(s_grace);
        foreach (var process in _running)
        {
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }

            process.Dispose();
        }
    }

    private static void Signal(Process process)
    {
        if (!process.HasExited)
            using (Process.Start("/bin/kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) { }
    }

    private static void Append(TextWriter log, string? line)
    {
        if (line is not null)
            log.WriteLine(line);
    }
}
