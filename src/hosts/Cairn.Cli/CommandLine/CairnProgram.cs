using System.CommandLine;
using Spectre.Console;

namespace Cairn.Cli.CommandLine;

/// <summary>Parses the line, runs the command, and turns what goes wrong into a message on stderr and an exit code.</summary>
internal static class CairnProgram
{
    /// <summary>A server finishes the requests under way before it goes; only then is an interruption cut short.</summary>
    private static readonly TimeSpan s_longestGoodbye = TimeSpan.FromSeconds(15);

    public static async Task<int> RunAsync(string[] args)
    {
        var line = CairnRoot.Create().Parse(args);
        using var interrupted = new CancellationTokenSource();
        try
        {
            var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = s_longestGoodbye };
            var code = await line.InvokeAsync(invocation, interrupted.Token);

            // The library ends with 1 where it cannot read the line; help that was asked for beside a mistake is no failure.
            return code == ExitCodes.Failure && line.Errors.Count > 0 ? ExitCodes.Usage : code;
        }
        catch (CliException exception)
        {
            WriteError(exception.Message, exception.Details);
            return exception.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            WriteError(exception.Message, []);
            return ExitCodes.Failure;
        }
    }

    private static void WriteError(string message, IReadOnlyList<string> details)
    {
        var errors = new Output(json: false, plain: Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }).Notes;
        errors.MarkupLine($"[red]error:[/] {Markup.Escape(message)}");
        foreach (var detail in details)
            errors.WriteLine("  " + detail);
    }
}
