using Cairn.Node.Tests.Harness;
using Xunit.Runner.InProc.SystemConsole;

namespace Cairn.Node.Tests;

/// <summary>Runs the tests; with <c>daemon OPTIONS_FILE</c> it is a node daemon in a process of its own, for tests that kill one.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args) =>
        args is ["daemon", var options] ? await DaemonHost.RunAsync(options) : await ConsoleRunner.Run(args);
}
