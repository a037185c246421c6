using Cairn.Cli.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Cairn.Cli.Up;

/// <summary>
/// How a long-running command logs: to stderr, one line each; <c>CAIRN_LOG</c> sets the level (default warning on a terminal, else
/// information).
/// </summary>
internal static class HostLogging
{
    public static ILoggerFactory Create(Output output) => LoggerFactory.Create(builder => Configure(builder, output));

    public static void Configure(ILoggingBuilder builder, Output output)
    {
        var level = Enum.TryParse<LogLevel>(Environment.GetEnvironmentVariable("CAIRN_LOG"), ignoreCase: true, out var named)
            ? named
            : output.IsTerminal ? LogLevel.Warning : LogLevel.Information;
        builder.ClearProviders();
        builder.SetMinimumLevel(level);

        // The framework's own chatter says nothing that Cairn's messages do not.
        builder.AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning);
        builder.AddFilter("Grpc", level > LogLevel.Warning ? level : LogLevel.Warning);
        builder.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            options.ColorBehavior = output.IsTerminal ? LoggerColorBehavior.Default : LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
