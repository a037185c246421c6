using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Nodes;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Nodes;

public sealed class Equal_nodes_are_one_offer
{
    private static readonly Gen<(Declaration Declared, Inventory Found)> s_machines =
        Gen.Select(OneOf("", "a", "ab"), OneOf("", "b", "bc"), OneOf("", "1", "11"), Gen.Int[0, 2], Gen.Long[0, 1], Gen.Int[0, 3], Gen.Bool,
            Gen.Int[0, 3])
            .Select((provider, region, label, gpus, price, certification, offline, size) =>
            {
                var declared = new Declaration { Provider = provider, Region = region, PriceMicrosPerHour = price, WorksOffline = offline };
                if (label.Length > 0)
                    declared.Labels[label] = label;
                if (certification > 1)
                    declared.Certifications.Add("soc2");
                if (certification > 2)
                    declared.Certifications.Add("HIPAA");
                var found = TestFacts.Machine(gpus);
                found.Cpus = 8 + size / 2;
                // A few bytes apart: rounded to one size.
                found.MemoryBytes = (32L << 30) + size % 2 * 4096;
                found.DiskBytes = (100L << 30) + size % 2 * 1_000_000;
                return (declared, found);
            });

    [Fact]
    public void Nodes_share_a_class_exactly_where_all_that_an_offer_says_is_equal() =>
        Gen.Select(s_machines, s_machines).Sample((one, other) =>
        {
            var (a, b) = (TestFacts.Of(one.Declared, one.Found), TestFacts.Of(other.Declared, other.Found));
            return NodeClass.Of(a).Key == NodeClass.Of(b).Key == IsSame(a, b);
        }, iter: 20_000);

    [Fact]
    public void Capacities_of_the_offers_are_the_usable_nodes_of_each_class_whatever_happens() =>
        Gen.Select(s_machines.Array[1, 12], Gen.Select(Gen.Int[0, 11], Gen.Int[0, 5]).Array[0, 40]).Sample((machines, steps) =>
        {
            var time = new FakeTimeProvider();
            var nodes = new FleetNodes(time);
            var offers = new NodeOffers(nodes, (_, _, _) => null, time);
            var all = machines.Select((machine, i) => Add(nodes, $"n{i}", TestFacts.Of(machine.Declared, machine.Found), time)).ToArray();
            foreach (var (which, what) in steps)
            {
                var node = all[which % all.Length];
                if (node.Phase != NodePhase.Removed)
                    Step(nodes, node, what, TestFacts.Of(machines[(which + what) % machines.Length].Declared));
            }
            var expected = all.Where(n => n.Phase == NodePhase.Active && n.Health != NodeHealth.Lost)
                .GroupBy(n => NodeClass.Of(n.Facts).OfferId).ToDictionary(g => g.Key, g => (int?)g.Count());
            return offers.Current().Offers.ToDictionary(o => o.Id, o => o.Capacity).OrderBy(p => p.Key)
                .SequenceEqual(expected.OrderBy(p => p.Key));
        });

    [Fact]
    public void Offers_are_made_anew_only_when_a_class_changes()
    {
        var time = new FakeTimeProvider();
        var nodes = new FleetNodes(time);
        var offers = new NodeOffers(nodes, (_, _, _) => null, time);
        var node = Add(nodes, "a", TestFacts.Of(new Declaration()), time);
        var before = offers.Current();
        node.Hear(time.GetTimestamp());
        Assert.Same(before, offers.Current());
        nodes.SetPhase(node, NodePhase.Cordoned);
        var after = offers.Current();
        Assert.True(after.Version > before.Version);
        Assert.Empty(after.Offers);
    }

    [Fact]
    public void What_a_node_leaves_open_comes_from_the_catalogue_and_what_it_declares_does_not()
    {
        var listed = new Offer
        {
            Id = "aws/us-east-1/p5", Provider = "aws", DeploymentModel = DeploymentModel.Hyperscaler, InstanceType = "p5",
            Region = new Region("us-east-1", "US", new GeoPoint(38.9, -77.4)), OnDemand = HourlyPrice.FromUsd(98),
                BillingMinimumSeconds = 60,
            Certifications = ["hipaa"], AvailabilityPercent = 99.9, StoragePerGigabyteMonth = Money.FromUsd(0.08m), Source = "price list",
                AsOf = new DateOnly(2026, 1, 2),
            Egress = new EgressPrices { Internet = [new PriceRung(null, Money.FromUsd(0.09m))] },
        };
        CatalogOffer catalog = (provider, region, type) => (provider, region, type) == ("aws", "us-east-1", "p5") ? listed : null;
        var declared = new Declaration { Provider = "aws", Region = "us-east-1", InstanceType = "p5", Simulated = true };
        var offer = NodeOffers.Make(NodeClass.Of(TestFacts.Of(declared)), catalog, new DateOnly(2026, 3, 4));
        Assert.Equal((listed.OnDemand, listed.Egress, listed.Certifications, 99.9, 60),
            (offer.OnDemand, offer.Egress, offer.Certifications, offer.AvailabilityPercent, offer.BillingMinimumSeconds));
        Assert.Equal((listed.Region, listed.AsOf, listed.StoragePerGigabyteMonth),
            (offer.Region, offer.AsOf, offer.StoragePerGigabyteMonth));
        Assert.True(offer is { Runnable: true, Simulated: true });

        declared.PriceMicrosPerHour = 5;
        declared.Certifications.Add("soc2");
        offer = NodeOffers.Make(NodeClass.Of(TestFacts.Of(declared)), catalog, new DateOnly(2026, 3, 4));
        Assert.Equal(5, offer.OnDemand.MicrosPerHour);
        Assert.Equal(["soc2"], offer.Certifications);
    }

    [Fact]
    public void Rounding_down_promises_no_more_than_is_there_and_hardly_less() =>
        Gen.Long[1, long.MaxValue / 2].Sample(bytes =>
        {
            var rounded = NodeClass.FloorToStep(bytes, 64);
            return rounded <= bytes && rounded > bytes - bytes / 64 - 1 && NodeClass.FloorToStep(rounded, 64) == rounded;
        });

    [Fact]
    public void Names_are_fit_for_a_url_and_few_have_to_be_tried() =>
        Gen.String.Sample(wished =>
        {
            var clean = NodeName.Clean(wished);
            return clean.Length is > 0 and <= 63 && clean.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
                && !clean.StartsWith('-') && !clean.EndsWith('-') && NodeName.Clean(clean) == clean;
        });

    private static Gen<string> OneOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);

    private static void Step(FleetNodes nodes, FleetNode node, int what, NodeFacts facts)
    {
        switch (what)
        {
            case 0: nodes.Attached(node); break;
            case 1: nodes.SetHealth(node, NodeHealth.Lost, node.HeardAt); break;
            case 2: nodes.SetPhase(node, NodePhase.Draining); break;
            case 3: nodes.SetPhase(node, NodePhase.Active); break;
            case 4: nodes.SetPhase(node, NodePhase.Removed); break;
            default: nodes.Redeclare(node, facts); break;
        }
    }

    private static bool IsSame(NodeFacts a, NodeFacts b) =>
        a.Provider == b.Provider && a.Region.Name == b.Region.Name && a.Labels.SequenceEqual(b.Labels) && a.Devices.Count == b.Devices.Count
        && a.Price == b.Price && a.Certifications.SequenceEqual(b.Certifications) && a.WorksOffline == b.WorksOffline && a.Cpus == b.Cpus;

    private static FleetNode Add(FleetNodes nodes, string name, NodeFacts facts, TimeProvider time)
    {
        var node = new FleetNode(NodeId.New(time.GetUtcNow()), name, new byte[32], facts, time.GetUtcNow());
        nodes.Add(node, joined: true);
        return node;
    }
}
