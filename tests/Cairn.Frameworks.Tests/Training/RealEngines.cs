using System.Diagnostics;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>Real engines that the tests run, installed by the scripts of <c>eng/</c> where they are not there yet.</summary>
internal static class RealEngines
{
    /// <summary>Debian's Python, which has Debian's PyTorch.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>
    /// Runs a script of <c>eng/</c> and gives what it prints; skips the test where it cannot install what it should, but never in CI.
    /// </summary>
    public static async Task<string> InstallAsync(string script, params string[] arguments)
    {
        var ran = await ProgramRun.OfAsync(Path.Combine(SourceTree.Root, "eng", script), arguments, SourceTree.Root);
        Assert.SkipWhen(ran.Code != 0 && Environment.GetEnvironmentVariable("CI") != "true", $"eng/{script}: {ran.Errors.Trim()}");
        Assert.True(ran.Code == 0, ran.Errors);
        return ran.Out.Trim();
    }
}

/// <summary>How a program ended and what it said.</summary>
internal sealed record ProgramRun(int Code, string Out, string Errors)
{
    public static async Task<ProgramRun> OfAsync(
        string program, string[] arguments, string folder, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new ProgramRun(process.ExitCode, await output, await errors);
    }
}
