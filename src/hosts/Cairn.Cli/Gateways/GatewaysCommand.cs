using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Gateways;

internal sealed class GatewaysCommand : CairnCommand
{
    public GatewaysCommand() : base("gateways", "List gateways that run alone; forget one that will not come back.", "cairn gateways") =>
        Subcommands.Add(new ForgetGatewayCommand());

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var gateways = await context.Api.ListAsync<GatewayView>("gateways", int.MaxValue, cancellationToken);
        context.Output.Write(gateways, list => Print(context.Output, list, TimeProvider.System.GetUtcNow()));
        return ExitCodes.Success;
    }

    private static void Print(Output output, IReadOnlyList<GatewayView> gateways, DateTimeOffset now)
    {
        var table = Output.NewTable("NAME~", "ID", "STATE", "SEEN");
        foreach (var gateway in gateways)
            table.AddRow(Words.Escape(gateway.Name), $"{gateway.Id}", gateway.Departed ? "gone" : gateway.Connected ? "connected" : "cut off", Words.Ago(gateway.SeenAt, now));
        output.Table(table);
    }
}

internal sealed class ForgetGatewayCommand : CairnCommand
{
    private readonly Argument<Guid> _id = new("ID") { Description = "The gateway's id, from `cairn gateways`." };

    public ForgetGatewayCommand() : base("forget", "Free what a gateway that will never come back holds of budgets. One that still runs could spend it a second time: revoke its key first.",
        "cairn gateways forget 01980000-0000-7000-8000-000000000000") => Arguments.Add(_id);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await context.Api.DeleteAsync($"gateways/{context.Get(_id)}", cancellationToken);
        context.Output.Note($"Gateway {context.Get(_id)} is forgotten.");
        return ExitCodes.Success;
    }
}
