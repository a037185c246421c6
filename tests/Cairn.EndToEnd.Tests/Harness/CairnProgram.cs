using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cairn.State.Tests;

namespace Cairn.EndToEnd.Tests;

/// <summary>What one run of <c>cairn</c> said.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    public CliResult Succeeded()
    {
        Assert.True(ExitCode == 0,
            $"cairn ended with {ExitCode}.\nstdout:\n{(Out.Length > 2000 ? Out[..2000] + "…" : Out)}\nstderr:\n{Error}");
        return this;
    }
}

/// <summary>The real program, as a person runs it: its own process, its own home folder.</summary>
internal sealed class CairnProgram
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(4);

    public CairnProgram(string home) => Home = home;

    public string Home { get; }

    public static string Path { get; } = FindProgram();

    public static string Root { get; } = FindRoot();

    public async Task<CliResult> RunAsync(params string[] arguments) => await RunAsync(null, arguments);

    /// <summary>With these environment variables besides.</summary>
    public Task<CliResult> RunWithAsync((string Name, string Value)[] environment, params string[] arguments) => RunAsync(null, arguments,
        environment);

    public async Task<CliResult> RunAsync(string? input, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(s_longest);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            throw new TimeoutException($"cairn {string.Join(' ', arguments)} did not end within {s_longest}.");
        }

        return new CliResult(process.ExitCode, await output, await error);
    }

    public Process Start(params string[] arguments) => Start(arguments, []);

    private Process Start(string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Path)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Root,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["CAIRN_HOME"] = Home;
        start.Environment["CAIRN_SOURCE"] = Root;
        start.Environment["CAIRN_LOG"] = "Information";
        foreach (var name in new[] { "CAIRN_SERVER", "CAIRN_KEY", "CAIRN_PROJECT" })
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static int FreePort() => FreePorts.Next();

    private static string FindProgram()
    {
        var folder = System.IO.Path.Combine(FindRoot(), "artifacts", "bin", "Cairn.Cli");
        var found = Directory.EnumerateFiles(folder, "cairn",
            SearchOption.AllDirectories).OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault();
        return found ?? throw new InvalidOperationException($"There is no program under {folder}; build the solution first.");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Cairn.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Cairn.slnx was not found above the test's folder.");
    }
}
