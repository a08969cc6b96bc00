using Confluent.Kafka;

namespace Events.Kafka.Messages;

/// <summary>Up to which length bodies go to Kafka. A cluster that takes less than is usual is given less, so that one large event holds nothing up.</summary>
internal sealed class BodyLimit(int largest)
{
    private const int Smallest = 1_000;
    private int _largest = largest;

    public int Largest => Volatile.Read(ref _largest);

    /// <summary>
    /// A producer that must leave no gaps says of whatever a broker refuses that it stops, not why; should that be something else, less harms
    /// nothing: bodies come out of the store.
    /// </summary>
    public void Learn(Exception why)
    {
        if (why is KafkaException { Error.Code: ErrorCode.MsgSizeTooLarge or ErrorCode.Local_GaplessGuarantee or ErrorCode.Local_Fatal } && Largest > Smallest)
        {
            Volatile.Write(ref _largest, Largest / 4);
        }
    }
}
